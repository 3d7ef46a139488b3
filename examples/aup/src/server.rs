//! HTTP/1.1 on a TCP port.

use std::{future::Future, io, net::SocketAddr, sync::Arc};

use axum::Router;
use cw_iam_model::Iam;
use scim_core::Service;
use scim_tower::ScimTower;
use tokio::net::TcpListener;
use url::Url;

use crate::{Door, PlainDoor};

/// A bound port, ready to serve.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    base: Url,
}

impl Server {
    /// Binds an address; port 0 takes a free one. `base` is what clients call the service, by default what it is bound to.
    ///
    /// # Errors
    ///
    /// Where the address cannot be bound.
    pub async fn bind(address: SocketAddr, base: Option<Url>) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let own = format!("http://{}", listener.local_addr()?);
        let base = match base {
            Some(base) => base,
            None => own.parse().map_err(io::Error::other)?,
        };
        Ok(Self { listener, base })
    }

    /// What clients call the service.
    pub fn base(&self) -> &Url {
        &self.base
    }

    /// What the clients of one organisation call the service.
    pub fn base_of(&self, organisation: &str) -> Url {
        crate::door::base_of(&self.base, organisation)
    }

    /// Serves until `stop` ends, and lets requests under way come to their end.
    ///
    /// # Errors
    ///
    /// Where the port cannot be served any more.
    pub async fn serve(
        self,
        iam: Iam,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        let door = Door::new(iam.clone(), self.base.clone());
        self.serve_behind(ScimTower::new(iam.service(), Arc::new(door)), stop).await
    }

    /// Serves the engine alone, without the rules of the IAM, to those whom it lets in.
    ///
    /// # Errors
    ///
    /// As [`serve`](Self::serve).
    pub async fn serve_plain(
        self,
        iam: Iam,
        service: Service,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        let door = PlainDoor(Door::new(iam, self.base.clone()));
        self.serve_behind(ScimTower::new(service, Arc::new(door)), stop).await
    }

    async fn serve_behind(
        self,
        scim: ScimTower,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        let app: Router = Router::new().fallback_service(scim);
        axum::serve(self.listener, app).with_graceful_shutdown(stop).await
    }
}
