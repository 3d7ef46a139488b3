//! One connection, from its first byte to its last.

use std::{
    convert::Infallible,
    future::Future,
    io,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::Service};
use hyper_util::rt::TokioIo;
use scim_core::ScimError;
use scim_tower::ScimTower;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::watch,
};

use super::{Bounds, connections::Seat};

/// Whether requests come as far as the service.
#[derive(Debug, Clone, Copy)]
pub(super) enum Mode {
    Serves,
    /// Each gets 503: there is no room.
    TurnsAway,
}

/// The server's side of a connection.
#[derive(Debug, Clone)]
pub(super) struct Desk {
    pub(super) scim: ScimTower,
    pub(super) seat: Arc<Seat>,
    pub(super) mode: Mode,
}

impl Desk {
    /// Answers requests until the client closes, waits for too long, or the server stops.
    pub(super) async fn serve(
        self,
        stream: TcpStream,
        bounds: Arc<Bounds>,
        mut stopping: watch::Receiver<bool>,
    ) {
        let seat = self.seat.clone();
        let wire = TokioIo::new(Wire { stream, seat: seat.clone() });
        let mut http = http1::Builder::new();
        // The seat keeps the time.
        http.header_read_timeout(None);
        http.max_header_size(bounds.head_size).max_buf_size(bounds.head_size.max(8 << 10));
        let mut connection = pin!(http.serve_connection(wire, self));
        let served = async {
            tokio::select! {
                ended = connection.as_mut() => return ended,
                _ = stopping.wait_for(|stopping| *stopping) => {}
            }
            connection.as_mut().graceful_shutdown();
            connection.await
        };
        tokio::select! {
            // What came in time counts, also where the server is late to look.
            biased;
            ended = served => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection broke off");
                }
            }
            () = seat.overdue(&bounds) => tracing::debug!("a client took too long"),
        }
    }
}

impl Service<Request<Incoming>> for Desk {
    type Response = Response<Full<Bytes>>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let Self { mut scim, seat, mode } = self.clone();
        Box::pin(async move {
            seat.begin().await?;
            let answer = match mode {
                Mode::Serves => {
                    let upload = |body| Upload { body, seat: seat.clone() };
                    let answer = tower_service::Service::call(&mut scim, request.map(upload));
                    answer.await.unwrap_or_else(|never: Infallible| match never {})
                }
                Mode::TurnsAway => scim.turn_away(
                    &ScimError::unavailable("too many connections; try again").retry_after(1),
                ),
            };
            seat.answers();
            Ok(answer)
        })
    }
}

/// A body that tells the seat when it is waited for.
struct Upload {
    body: Incoming,
    seat: Arc<Seat>,
}

impl Body for Upload {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        match &frame {
            Poll::Pending => self.seat.waits_for_body(),
            Poll::Ready(None | Some(Err(_))) => self.seat.has_body(),
            Poll::Ready(Some(Ok(_))) => {}
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A socket that tells the seat what its client takes and gives.
struct Wire {
    stream: TcpStream,
    seat: Arc<Seat>,
}

/// The system keeps no answer for a client that does not take it.
impl Drop for Wire {
    fn drop(&mut self) {
        if self.seat.is_answering() {
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.seat.received();
        }
        read
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.note(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, pieces);
        self.note(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        if flushed.is_ready() {
            self.seat.flushed();
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl Wire {
    fn note(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(_)) = &written {
            self.seat.sent();
        }
        written
    }
}
