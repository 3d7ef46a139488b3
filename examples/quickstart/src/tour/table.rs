//! What the tour tells at its end.

use std::{fmt::Write, path::Path};

use aup::Demo;
use scim_core::{Client, client::Query};
use sup::Report;
use url::Url;

use super::Failure;
use crate::transcript::Played;

/// Lines, collected while the tour goes on.
#[derive(Debug, Default)]
pub(super) struct Table {
    sessions: Vec<(String, usize)>,
    refusals: Vec<(String, String)>,
    directory: String,
    clusters: String,
}

impl Table {
    pub(super) fn session(&mut self, name: &str, played: &Played) {
        self.sessions.push((name.to_owned(), played.requests));
        self.refusals.extend(played.refusals.iter().cloned());
    }

    /// Counts what a cluster's token sees.
    pub(super) async fn directory(&mut self, client: &Client) -> Result<(), Failure> {
        let users = client.list("Users", Query::all()).all().await?.resources;
        let groups = client.list("Groups", Query::all()).all().await?.resources;
        let active = users.iter().filter(|user| user.get("active") == Some(&true.into())).count();
        self.directory = format!(
            "{} users, {active} of them active; {} groups, the five default groups included",
            users.len(),
            groups.len()
        );
        Ok(())
    }

    pub(super) fn clusters(&mut self, when: &str, reports: &[Report]) {
        for it in reports {
            let Report { cluster, outcome, users, locked, groups, .. } = it;
            let _ = writeln!(
                self.clusters,
                "  {cluster:<10} {when:<19} {users} users, {locked} locked, {groups} groups ({outcome})"
            );
            for left_out in &it.quarantine {
                let _ = writeln!(self.clusters, "             left out: {left_out}");
            }
            for warning in &it.warnings {
                let _ = writeln!(self.clusters, "             warning: {warning}");
            }
        }
    }

    pub(super) fn print(&self, out: &Path, base: &Url) {
        let mut text = format!(
            "Provisioning service at {base}\n\nSessions, every answer as the provider expects it\n"
        );
        for (name, requests) in &self.sessions {
            let _ = writeln!(text, "  {name:<18} {requests:>3} requests");
        }
        text.push_str("\nRefused, with what the provider's log shows\n");
        for (step, detail) in &self.refusals {
            let _ = writeln!(text, "  {step}\n    {detail}");
        }
        let _ = write!(
            text,
            "\nDirectory\n  {}\n\nClusters, in {}\n{}",
            self.directory,
            out.display(),
            self.clusters
        );
        say(&text);
    }
}

/// Three requests to try.
pub(super) fn invite(base: &Url, demo: &Demo) {
    let header = format!("-H 'Authorization: Bearer {}'", demo.token);
    let cluster = format!("-H 'Authorization: Bearer {}'", demo.sup_token);
    say(&format!(
        "Serving until Ctrl-C. Base URL: {base}
Token: {}

  curl -s {header} '{base}/Users?count=2'
  curl -s {header} -H 'Content-Type: application/scim+json' {base}/Users -d '{{\"userName\": \"you@example.com\"}}'
  curl -s {cluster} '{base}/Groups?filter=displayName+eq+%22slurm-users%22'
",
        demo.token
    ));
}

#[expect(clippy::print_stdout, reason = "what a command-line program says")]
fn say(text: &str) {
    println!("{text}");
}
