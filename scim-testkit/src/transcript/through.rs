//! A function as a transport.

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use scim_core::{Transport, TransportError};

/// Sends requests through a function that answers them, such as one that calls a router.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
///
/// use bytes::Bytes;
/// use http::{Request, Response};
/// use scim_testkit::transcript::{Player, Through, Transcript};
///
/// # pollster::block_on(async {
/// let nobody = Through(|_: Request<Bytes>| async { Response::new(Bytes::from("{}")) });
/// let probe = r#"{
///     "name": "a probe", "source": "ours", "dialect": "TOLERANT",
///     "steps": [{
///         "name": "nobody is there", "source": "ours",
///         "request": {"method": "GET", "path": "/Users?filter=userName+eq+%22x%22"},
///         "expect": {"status": 200, "body": {"totalResults": 0}}
///     }]
/// }"#;
/// let probe = Transcript::parse("probe.json", probe).unwrap();
/// let base = "https://scim.example.com".parse().unwrap();
/// let failed = Player::new(Arc::new(nobody), base).play(&probe).await.unwrap_err();
/// assert!(failed.to_string().ends_with("/totalResults\n  - 0\n  + nothing\n  in {}"), "{failed}");
/// # });
/// ```
#[derive(Clone, Copy)]
pub struct Through<F>(pub F);

#[async_trait]
impl<F, A> Transport for Through<F>
where
    F: Fn(Request<Bytes>) -> A + Send + Sync,
    A: Future<Output = Response<Bytes>> + Send,
{
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        Ok(self.0(request).await)
    }
}

impl<F> fmt::Debug for Through<F> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Through(…)")
    }
}
