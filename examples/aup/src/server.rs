//! HTTP/1.1 on a TCP port, with a bound for each state of a connection.

mod accept;
mod bounds;
mod connection;
mod connections;

use std::{future::Future, io, net::SocketAddr, sync::Arc};

use cw_iam_model::Iam;
use scim_core::Service;
use scim_tower::ScimTower;
use tokio::net::{TcpListener, TcpSocket};
use url::Url;

use crate::{Door, PlainDoor};

pub use bounds::Bounds;

/// What the system keeps of an answer until the client takes it, in bytes. By itself it would keep
/// up to 4 MiB, and tell of progress in steps of a third of it: a slow client would look like one
/// that reads nothing.
const KEPT_BY_THE_SYSTEM: u32 = 256 << 10;
/// Connections that wait to be accepted.
const BACKLOG: u32 = 1_024;

/// A bound port, ready to serve.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    base: Url,
    bounds: Bounds,
}

impl Server {
    /// Binds an address; port 0 takes a free one. `base` is what clients call the service, by default what it is bound to.
    ///
    /// # Errors
    ///
    /// Where the address cannot be bound.
    pub async fn bind(address: SocketAddr, base: Option<Url>) -> io::Result<Self> {
        let listener = listen(address)?;
        let own = format!("http://{}", listener.local_addr()?);
        let base = match base {
            Some(base) => base,
            None => own.parse().map_err(io::Error::other)?,
        };
        Ok(Self { listener, base, bounds: Bounds::default() })
    }

    /// The server with other bounds.
    #[must_use]
    pub fn with_bounds(mut self, bounds: Bounds) -> Self {
        self.bounds = bounds;
        self
    }

    /// What clients call the service.
    pub fn base(&self) -> &Url {
        &self.base
    }

    /// What the clients of one organisation call the service.
    pub fn base_of(&self, organisation: &str) -> Url {
        crate::door::base_of(&self.base, organisation)
    }

    /// Serves until `stop` ends, and lets requests under way come to their end within the grace.
    ///
    /// # Errors
    ///
    /// Where the port cannot be served.
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
        let Self { listener, bounds, .. } = self;
        let scim = scim.with_timeouts(bounds.timeouts).with_memory(bounds.memory);
        accept::serve(listener, scim, bounds, stop).await;
        Ok(())
    }
}

/// Connections inherit what is set here.
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    socket.set_send_buffer_size(KEPT_BY_THE_SYSTEM)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}
