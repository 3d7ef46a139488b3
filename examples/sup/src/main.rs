//! `sup sync --config sup.toml`: one sync, for a timer or a cron job to call.

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use clap::Parser;
use scim_core::Client;
use scim_reqwest::ReqwestTransport;
use sup::{Config, Outcome, Report, sync};

/// Brings an organisation's users, groups and SSH keys onto its clusters.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Reads the directory once and brings every cluster up to it.
    Sync {
        /// The configuration file.
        #[arg(long)]
        config: PathBuf,
        /// The digest of a held plan that you have looked at and agree to.
        #[arg(long)]
        approve: Option<String>,
    },
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Command::Sync { config, approve } = Arguments::parse().command;
    match run(&config, approve.as_deref()).await {
        Ok(reports) => {
            reports.iter().for_each(tell);
            let all_well = reports.iter().all(|it| matches!(it.outcome, Outcome::Applied(_)));
            if all_well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            say(&format!("sup: {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn run(
    config: &std::path::Path,
    approve: Option<&str>,
) -> Result<Vec<Report>, Box<dyn std::error::Error>> {
    let config = Config::read(config)?;
    let token = std::env::var(&config.token_env)
        .map_err(|_| format!("the environment variable {} holds no token", config.token_env))?;
    let transport = Arc::new(ReqwestTransport::new()?);
    let client = Client::new(transport, config.base_url.clone()).with_token(token);
    Ok(sync(&client, &config, approve).await?)
}

fn tell(report: &Report) {
    let Report { cluster, outcome, users, locked, groups, .. } = report;
    say(&format!("{cluster}: {outcome}; {users} users, {locked} locked, {groups} groups"));
    report.quarantine.iter().for_each(|it| say(&format!("{cluster}: left out: {it}")));
    report.warnings.iter().for_each(|it| say(&format!("{cluster}: warning: {it}")));
}

#[expect(clippy::print_stdout, reason = "the report of a command-line program")]
fn say(line: &str) {
    println!("{line}");
}
