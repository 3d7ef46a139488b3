//! How requests travel, without saying over what.

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;

/// Carries a request to a SCIM service and its answer back: over the network, or straight into a [`Service`](crate::Service) of the same
/// process.
#[async_trait]
pub trait Transport: fmt::Debug + Send + Sync {
    /// Sends a request whose URI begins with the base of the service.
    ///
    /// # Errors
    ///
    /// Where no answer came. An answer with an error status is an answer.
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError>;
}

/// Why no answer came.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no answer from the service: {0}")]
pub struct TransportError(pub String);
