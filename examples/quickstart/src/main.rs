//! The whole way in one command: an identity provider's session over HTTP into the provisioning service, and from there onto two clusters.

mod tour;
#[allow(dead_code, unreachable_pub, reason = "more than the tour needs is public in the test kit")]
mod transcript;

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

#[cfg(test)]
mod tests {
    use std::fs;

    #[tokio::test(flavor = "multi_thread")]
    async fn the_whole_way() {
        let out = tempfile::tempdir().unwrap();
        super::tour::run(out.path(), false).await.unwrap();
        let read = |file: &str| fs::read_to_string(out.path().join(file)).unwrap();
        // dom:a2 dom:a36
        insta::assert_snapshot!(read("cluster-a/passwd.cache"), @"
        ada:x:20011:20011:Ada Lovelace:/mnt/home/ada:/bin/bash
        alan:x:20000:20000:Alan Turing:/mnt/home/alan:/bin/bash
        barbara:x:20003:20003:Barbara Liskov:/mnt/home/barbara:/bin/bash
        grace:x:20012:20012:Grace Hopper:/mnt/home/grace:/usr/sbin/nologin
        katherine:x:20001:20001:Katherine Johnson:/mnt/home/katherine:/bin/bash
        margaret:x:20013:20013:Margaret Hamilton:/mnt/home/margaret:/bin/zsh
        ");
        insta::assert_snapshot!(read("cluster-a/group.cache"), @"
        ada:x:20011:
        alan:x:20000:
        barbara:x:20003:
        grace:x:20012:
        katherine:x:20001:
        margaret:x:20013:
        ml-engineers:x:10007:barbara,katherine
        slurm-users:x:10005:ada,alan,margaret
        ");
        insta::assert_snapshot!(read("cluster-a/shadow.cache"), @"
        ada:*:::::::
        alan:*:::::::
        barbara:*:::::::
        grace:!*:::::::
        katherine:*:::::::
        margaret:*:::::::
        ");
        insta::assert_snapshot!(read("cluster-b/group.cache"), @"
        research:x:10006:
        ");
        // Again over what the first run left behind.
        super::tour::run(out.path(), false).await.unwrap();
    }
}
