//! Takes connections in until the server stops, and then sees them out.

use std::{future::Future, io, pin::pin, sync::Arc, time::Duration};

use scim_tower::ScimTower;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::timeout,
};

use super::{
    Bounds,
    connection::{Desk, Mode},
    connections::{Connections, Seat},
};

/// How long a new connection waits for a seat. Where it got none, those behind it do not wait.
const PATIENCE: Duration = Duration::from_secs(2);
/// Connections that are told at the same time that there is no room, and how long each may take.
const TURNED_AWAY: usize = 32;
const FAREWELL: Duration = Duration::from_secs(1);
/// How long nothing is accepted where the process has no file left.
const PAUSE: Duration = Duration::from_millis(100);
/// How long the tasks of connections that were cut off may take to end.
const CLOSING: Duration = Duration::from_secs(2);

/// Serves a port until `stop` ends, and then for the grace at most.
pub(super) async fn serve(
    listener: TcpListener,
    scim: ScimTower,
    bounds: Bounds,
    stop: impl Future<Output = ()>,
) {
    let connections = Arc::new(Connections::new(bounds.most_connections()));
    let (stopping, _) = watch::channel(false);
    let mut porter = Porter {
        scim,
        bounds: Arc::new(bounds),
        connections,
        stopping,
        tasks: JoinSet::new(),
        turned_away: JoinSet::new(),
    };
    let mut stop = pin!(stop);
    tokio::select! {
        () = &mut stop => {}
        () = porter.accept(&listener) => {}
    }
    // Whoever connects from now on finds nobody.
    drop(listener);
    porter.see_out().await;
}

struct Porter {
    scim: ScimTower,
    bounds: Arc<Bounds>,
    connections: Arc<Connections>,
    stopping: watch::Sender<bool>,
    tasks: JoinSet<()>,
    turned_away: JoinSet<()>,
}

impl Porter {
    async fn accept(&mut self, listener: &TcpListener) {
        let mut patience = PATIENCE;
        loop {
            let stream = match listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    self.bear(&error).await;
                    continue;
                }
            };
            while self.tasks.try_join_next().is_some() {}
            while self.turned_away.try_join_next().is_some() {}
            let taken = self.connections.seat(patience).await;
            patience = if taken.is_some() { PATIENCE } else { Duration::ZERO };
            // Answers go out whole; where this fails they only go out later.
            let _ = stream.set_nodelay(true);
            match taken {
                Some(taken) => {
                    let work = self.work(stream, taken.seat.clone(), Mode::Serves);
                    self.tasks.spawn(async move {
                        work.await;
                        drop(taken);
                    });
                }
                None => self.turn_away(stream),
            }
        }
    }

    fn work(
        &self,
        stream: TcpStream,
        seat: Arc<Seat>,
        mode: Mode,
    ) -> impl Future<Output = ()> + Send + 'static {
        let desk = Desk { scim: self.scim.clone(), seat, mode };
        desk.serve(stream, self.bounds.clone(), self.stopping.subscribe())
    }

    /// Says that there is no room, to as many as there are files for.
    fn turn_away(&mut self, stream: TcpStream) {
        if self.turned_away.len() < TURNED_AWAY {
            let work = self.work(stream, Arc::new(Seat::new()), Mode::TurnsAway);
            self.turned_away.spawn(async move { _ = timeout(FAREWELL, work).await });
        }
    }

    /// After an error of one connection goes on at once. Where files or memory are used up, a
    /// connection that waits for its client is closed, and nothing spins meanwhile.
    async fn bear(&self, error: &io::Error) {
        use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
        match error.kind() {
            ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted => {}
            _ => {
                tracing::warn!(%error, "no connection can be accepted");
                self.connections.make_room();
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    /// Lets requests under way come to their end, and cuts off what the grace does not suffice for.
    async fn see_out(mut self) {
        self.stopping.send_replace(true);
        let ended = async {
            while self.tasks.join_next().await.is_some() {}
            while self.turned_away.join_next().await.is_some() {}
        };
        if timeout(self.bounds.grace, ended).await.is_ok() {
            return;
        }
        tracing::warn!(connections = self.tasks.len(), "the grace is over");
        let cut_off = async {
            self.tasks.shutdown().await;
            self.turned_away.shutdown().await;
        };
        let _ = timeout(CLOSING, cut_off).await;
    }
}
