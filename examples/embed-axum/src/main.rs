//! x
use scim_core::{Caller, MemoryStore, ScimError, Service};
use scim_tower::{Authenticate, ScimTower};
use std::sync::Arc;
#[derive(Debug)]
struct OneToken(Caller);
#[async_trait::async_trait]
impl Authenticate for OneToken {
    async fn authenticate(&self, _head: &http::request::Parts) -> Result<Caller, ScimError> {
        Ok(self.0.clone())
    }
}
#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut caller = Caller::new("acme", "http://127.0.0.1:3999/scim/v2".parse()?);
    caller.bulk = scim_core::service::Bulk::On;
    let scim =
        ScimTower::new(Service::new(Arc::new(MemoryStore::new())), Arc::new(OneToken(caller)));
    let app: axum::Router = axum::Router::new().fallback_service(scim);
    axum::serve(tokio::net::TcpListener::bind("127.0.0.1:3999").await?, app).await?;
    Ok(())
}
