//! The whole way in one command: an identity provider's session over HTTP into the provisioning service, and from there onto two clusters.

mod pattern;
mod player;
mod tour;

use std::{path::PathBuf, process::ExitCode};

use clap::Parser;

/// Plays two identity providers against a provisioning service and brings the result onto two clusters.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Arguments {
    /// Where the database and the files of the clusters go. What an earlier run left there is replaced.
    #[arg(long, default_value = "quickstart-data")]
    out: PathBuf,
    /// Keeps the service running afterwards, to try requests on.
    #[arg(long)]
    serve: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let Arguments { out, serve } = Arguments::parse();
    match tour::run(&out, serve).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("quickstart: {error}"));
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stderr, reason = "what a command-line program says")]
fn complain(line: &str) {
    eprintln!("{line}");
}
