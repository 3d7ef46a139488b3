//! The tour: what happens, in order, and the table at its end.

mod clusters;
mod table;

use std::{io, path::Path, sync::Arc};

use aup::{Demo, Server, StoreChoice, demo};
use cw_iam_model::Iam;
use scim_core::{Client, Transport, environment::System};
use scim_reqwest::ReqwestTransport;
use sup::{Config, Report, sync};
use tokio::sync::oneshot;
use url::Url;

use crate::transcript::{Played, Player, Transcript};

use self::table::Table;

pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The sessions, in the order in which they are played.
const OKTA: (&str, &str) = ("okta.json", include_str!("../sessions/okta.json"));
const ENTRA: (&str, &str) = ("entra.json", include_str!("../sessions/entra.json"));
const LEAVER: (&str, &str) = ("leaver.json", include_str!("../sessions/leaver.json"));

/// Walks the whole way once.
///
/// # Errors
///
/// The first check that fails, by name.
pub(crate) async fn run(out: &Path, keep_serving: bool) -> Result<(), Failure> {
    clear(out)?;
    let service = Running::start(out).await?;
    let transport: Arc<dyn Transport> = Arc::new(ReqwestTransport::new()?);
    let mut provider =
        Player::new(transport.clone(), service.base.clone()).with_token(&service.demo.token);
    let config = clusters::configure(out, &service.base)?;
    let client =
        Client::new(transport, service.base.clone()).with_token(service.demo.sup_token.clone());

    let mut table = Table::default();
    table.session("Okta, custom app", &play(&mut provider, OKTA).await?);
    table.session("Entra ID", &play(&mut provider, ENTRA).await?);
    let arrived = synced(&client, &config).await?;
    clusters::check_arrival(out, &arrived)?;
    table.session("Okta, a leaver", &play(&mut provider, LEAVER).await?);
    let left = synced(&client, &config).await?;
    clusters::check_departure(out)?;
    table.directory(&client).await?;
    table.clusters("after the sessions", &arrived);
    table.clusters("after the leaver", &left);
    table.print(out, &service.base);
    match keep_serving {
        true => service.keep().await,
        false => service.stop().await,
    }
}

async fn play(provider: &mut Player, (path, text): (&str, &str)) -> Result<Played, Failure> {
    Ok(provider.play(&Transcript::parse(path, text)?).await?)
}

/// One sync, with which every cluster must be served.
async fn synced(client: &Client, config: &Config) -> Result<Vec<Report>, Failure> {
    let reports = sync(client, config, None).await?;
    match reports.iter().find(|it| !matches!(it.outcome, sup::Outcome::Applied(_))) {
        Some(report) => {
            Err(format!("{} was not served: {}", report.cluster, report.outcome).into())
        }
        None => Ok(reports),
    }
}

/// Removes what an earlier run left, and nothing else.
fn clear(out: &Path) -> io::Result<()> {
    std::fs::create_dir_all(out)?;
    for database in ["aup.db", "aup.db.ledger"] {
        for file in ["", "-wal", "-shm"] {
            ignore_missing(std::fs::remove_file(out.join(format!("{database}{file}"))))?;
        }
    }
    for file in ["ledger", "ledger.lock", "sup.toml"] {
        ignore_missing(std::fs::remove_file(out.join(file)))?;
    }
    for folder in clusters::NAMES {
        ignore_missing(std::fs::remove_dir_all(out.join(folder)))?;
    }
    Ok(())
}

fn ignore_missing(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// The provisioning service on a free port of loopback.
struct Running {
    base: Url,
    demo: Demo,
    stop: oneshot::Sender<()>,
    served: tokio::task::JoinHandle<io::Result<()>>,
}

impl Running {
    async fn start(out: &Path) -> Result<Self, Failure> {
        let store = StoreChoice::Sqlite(out.join("aup.db")).open()?;
        let iam = Iam::new(store, Arc::new(System));
        let demo = demo(&iam).await?;
        let server = Server::bind(([127, 0, 0, 1], 0).into(), None).await?;
        let base = server.base_of(demo.organisation.as_str());
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(server.serve(iam, async {
            let _ = stopped.await;
        }));
        Ok(Self { base, demo, stop, served })
    }

    async fn stop(self) -> Result<(), Failure> {
        let _ = self.stop.send(());
        Ok(self.served.await??)
    }

    /// Serves until Ctrl-C, with three requests to try.
    async fn keep(self) -> Result<(), Failure> {
        table::invite(&self.base, &self.demo);
        tokio::signal::ctrl_c().await?;
        self.stop().await
    }
}
