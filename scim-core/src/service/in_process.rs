//! The service as a transport: a client of the same process needs no socket.

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};

use super::{Caller, Service};
use crate::{Transport, TransportError};

/// Hands requests straight to a [`Service`], always as the same [`Caller`].
#[derive(Debug, Clone)]
pub struct InProcess {
    service: Service,
    caller: Caller,
}

impl InProcess {
    /// A transport into `service` as `caller`.
    pub fn new(service: Service, caller: Caller) -> Self {
        Self { service, caller }
    }
}

#[async_trait]
impl Transport for InProcess {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        Ok(self.service.handle(&self.caller, request).await)
    }
}
