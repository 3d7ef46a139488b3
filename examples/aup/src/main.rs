//! The command line of the provisioning service.

use std::{net::SocketAddr, path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

use aup::{Begin, Bounds, Host, Ledger, Server, StoreChoice, demo_of, plain};
use clap::{
    Parser, Subcommand, ValueEnum,
    builder::{PossibleValuesParser, TypedValueParser},
};
use cw_iam_model::{
    Deployment, DialectName, Iam, NewOrganisation, NewToken, OrganisationId, Scope, Sso, Switches,
    TokenId,
};
use scim_core::{Store, environment::System, store::StoreError};
use serde_json::json;
use tokio::runtime::Runtime;
use tracing_subscriber::EnvFilter;
use url::Url;

type Failure = Box<dyn std::error::Error>;

/// Receives users and groups from an identity provider, and hands them to clusters.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serves what the store holds, until SIGTERM.
    Serve(Serve),
    /// Makes an organisation, with single sign-on declared and everything but bulk requests switched on.
    CreateOrganisation {
        #[command(flatten)]
        store: StoreArgument,
        /// Its name in paths: lower-case letters and digits.
        organisation: OrganisationId,
    },
    /// Makes a token and shows it, this once.
    IssueToken {
        #[command(flatten)]
        store: StoreArgument,
        /// The organisation.
        organisation: OrganisationId,
        /// What the token is called, as in `Okta ID`.
        #[arg(long)]
        name: String,
        /// What it may do.
        #[arg(long)]
        scope: ScopeName,
    },
    /// Ends a token.
    RevokeToken {
        #[command(flatten)]
        store: StoreArgument,
        /// The organisation.
        organisation: OrganisationId,
        /// Which token, as `tokens` lists it.
        id: String,
    },
    /// Adds a key for the cursors of pages, which seals them in two minutes from now on. Walks under way go on.
    RotateCursorKey {
        #[command(flatten)]
        store: StoreArgument,
    },
    /// Copies the store into a new file, while it is served or not.
    Backup {
        #[command(flatten)]
        store: StoreArgument,
        /// The new file.
        to: PathBuf,
    },
    /// Takes a copy for what it is, though its ledger is missing or begins too late for it: names and numbers that were given out after the copy
    /// may be given out again, and what was deleted or revoked after it is back.
    BeginLedger {
        #[command(flatten)]
        store: StoreArgument,
    },
    /// Lists the tokens of an organisation, without their secrets.
    Tokens {
        #[command(flatten)]
        store: StoreArgument,
        /// The organisation.
        organisation: OrganisationId,
    },
}

#[derive(Debug, clap::Args)]
struct Serve {
    #[command(flatten)]
    store: StoreArgument,
    /// The address to listen on; without it, a free port on loopback.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Speaks plain HTTP beyond loopback too: where something in front of it does TLS, on a network that is protected.
    #[arg(long)]
    plain_http_anywhere: bool,
    /// What clients call the service, where that is not the address: `https://scim.example.com`.
    #[arg(long)]
    base_url: Option<Url>,
    /// How long requests under way may take to end after SIGTERM or SIGINT, in seconds.
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    grace: Duration,
    /// How many connections there are at the same time at most.
    #[arg(long, value_name = "NUMBER", default_value_t = Bounds::default().connections)]
    connections: usize,
    /// With the organisation `acme` to try things on; prints its address and tokens as one line of JSON.
    #[arg(long)]
    demo: bool,
    /// Without the rules of the IAM: the engine with the schemas of the RFC, to whoever has a token. For conformance tools.
    #[arg(long, requires = "demo")]
    plain: bool,
    /// How far the requests of the demo's identity provider may stray from the standard.
    #[arg(long, requires = "demo", default_value = "tolerant", value_parser = dialects())]
    dialect: DialectName,
}

#[derive(Debug, clap::Args)]
struct StoreArgument {
    /// Where the data are: `memory` or `sqlite:PATH`.
    #[arg(long, default_value = "memory")]
    store: StoreChoice,
    /// What the store has given out and ended, in a file that a restore must never touch; without it, PATH.ledger beside the store.
    #[arg(long, value_name = "PATH")]
    ledger: Option<PathBuf>,
}

impl StoreArgument {
    fn open(&self, begin: Begin) -> Result<Arc<dyn Store>, StoreError> {
        self.store.open_with(&self.ledger(begin))
    }

    fn ledger(&self, begin: Begin) -> Ledger {
        Ledger { path: self.ledger.clone(), begin }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ScopeName {
    /// An identity provider.
    #[value(name = "aup:write")]
    AupWrite,
    /// A cluster.
    #[value(name = "sup:read")]
    SupRead,
}

/// How long the threads of the process may take to end after its work is done.
const CLOSING: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .json()
        .with_env_filter(EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    let command = Arguments::parse().command;
    let done = Runtime::new().map_err(Failure::from).and_then(|runtime| {
        let done = runtime.block_on(run(command));
        runtime.shutdown_timeout(CLOSING);
        done
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("aup: {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Serve(arguments) => serve(arguments).await,
        Command::CreateOrganisation { store, organisation } => {
            let mut new = NewOrganisation::new(organisation);
            new.sso = Sso::Declared;
            new.switches = Switches { bulk: cw_iam_model::Switch::Off, ..Switches::ALL_ON };
            let made = iam(&store)?.create_organisation(new).await?;
            say(&json!({"organisation": made.id}));
            Ok(())
        }
        Command::IssueToken { store, organisation, name, scope } => {
            let scope = match scope {
                ScopeName::AupWrite => Scope::AupWrite,
                ScopeName::SupRead => Scope::SupRead,
            };
            let new = NewToken::new(name, scope);
            let (id, secret) = iam(&store)?.issue_token(&organisation, new, "command line").await?;
            say(&json!({"id": id, "token": secret.reveal()}));
            Ok(())
        }
        Command::RevokeToken { store, organisation, id } => {
            let id = TokenId::from(id);
            Ok(iam(&store)?.revoke_token(&organisation, &id, "command line").await?)
        }
        Command::RotateCursorKey { store } => {
            let from = iam(&store)?.rotate_cursor_key("command line").await?;
            say(&json!({"seals_from": from}));
            Ok(())
        }
        Command::Backup { store, to } => {
            Ok(store.store.back_up(&store.ledger(Begin::Never), &to).await?)
        }
        Command::BeginLedger { store } => {
            store.open(Begin::Anew)?;
            Ok(())
        }
        Command::Tokens { store, organisation } => {
            for token in iam(&store)?.tokens(&organisation).await? {
                say(&json!({
                    "id": token.id,
                    "name": token.name,
                    "scope": token.scope,
                    "expires": token.expires,
                    "revoked": token.revoked,
                }));
            }
            Ok(())
        }
    }
}

async fn serve(arguments: Serve) -> Result<(), Failure> {
    let listen = arguments.listen;
    if !listen.ip().to_canonical().is_loopback() && !arguments.plain_http_anywhere {
        let refused = format!(
            "{listen} is not on loopback, and tokens would cross the network in plain HTTP: listen on loopback behind something that does \
             TLS, or say --plain-http-anywhere"
        );
        return Err(refused.into());
    }
    let host = Arc::new(Host::new());
    let store = arguments.store.open(Begin::Never)?;
    let iam = Iam::new(store.clone(), host.clone());
    host.seal_with(iam.cursor_keys().await?);
    let mut bounds = Bounds::default();
    (bounds.grace, bounds.connections) = (arguments.grace, arguments.connections);
    let server = Server::bind(listen, arguments.base_url).await?.with_bounds(bounds);
    let deployment = if arguments.plain { Deployment::Current } else { Deployment::Legacy };
    let told = match arguments.demo {
        true => {
            let demo = demo_of(&iam, deployment, arguments.dialect).await?;
            let base = server.base_of(demo.organisation.as_str());
            json!({"base_url": base, "token": demo.token, "sup_token": demo.sup_token})
        }
        false => json!({"base_url": server.base()}),
    };
    let stop = stop_signal(host.clone())?;
    // The port is bound: what connects from now on is answered.
    say(&told);
    let (following, followed) = (host.clone(), iam.clone());
    let following = tokio::spawn(async move { following.follow(&followed).await });
    match arguments.plain {
        true => server.serve_plain(iam, plain(store, host), stop).await?,
        false => server.serve(iam, stop).await?,
    }
    // The store closes with its last user.
    following.abort();
    let _ = following.await;
    Ok(())
}

/// Reads the name of a dialect.
fn dialects() -> impl TypedValueParser<Value = DialectName> {
    let names = ["tolerant", "strict", "okta", "entra", "onelogin", "keycloak", "gateway"];
    PossibleValuesParser::new(names).try_map(|name| serde_json::from_value(json!(name)))
}

/// A time in seconds, with or without a fraction.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().and_then(|it| Duration::try_from_secs_f64(it).ok());
    seconds.ok_or_else(|| format!("`{text}` is no time, expected seconds, as in `30` or `0.5`"))
}

fn iam(store: &StoreArgument) -> Result<Iam, Failure> {
    Ok(Iam::new(store.open(Begin::Never)?, Arc::new(System)))
}

/// Ends at SIGTERM or Ctrl-C, and with it every wait. SIGHUP, as of a terminal that is closed, has
/// no effect.
fn stop_signal(host: Arc<Host>) -> Result<impl Future<Output = ()> + Send + 'static, Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) =
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    // Once somebody has asked for a signal it ends the process no more.
    drop(signal(SignalKind::hangup())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        host.stop();
    })
}

#[expect(clippy::print_stdout, reason = "what a command-line program says")]
fn say(line: &serde_json::Value) {
    println!("{line}");
}

#[expect(clippy::print_stderr, reason = "what a command-line program says")]
fn complain(line: &str) {
    eprintln!("{line}");
}
