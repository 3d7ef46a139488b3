//! The two clusters: what each is configured to take, and what must have come of it.

use std::{
    fs::OpenOptions,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use sup::{Config, Report};
use url::Url;

use super::Failure;

/// The clusters, each a folder.
pub(super) const NAMES: [&str; 2] = ["cluster-a", "cluster-b"];

/// Who is deactivated at the end; a member of groups of both clusters.
const LEAVER: &str = "grace";

/// The files of a cluster.
const FILES: [&str; 10] = [
    "passwd.cache",
    "passwd.cache.ixname",
    "passwd.cache.ixuid",
    "group.cache",
    "group.cache.ixname",
    "group.cache.ixgid",
    "shadow.cache",
    "shadow.cache.ixname",
    "sshkey.cache",
    "sshkey.cache.ixname",
];

/// Writes the configuration of the agent, as an administrator would, and reads it.
pub(super) fn configure(out: &Path, base: &Url) -> Result<Config, Failure> {
    let at = |name: &str| toml::Value::from(out.join(name).display().to_string());
    let text = format!(
        r#"# Written by the quickstart.
organisation = "acme"
base_url = "{base}"
ledger = {ledger}

[[cluster]]
name = "cluster-a"
dir = {a}
groups = ["slurm-users", "ml-research"]
home = "/mnt/home/%u"

[[cluster]]
name = "cluster-b"
dir = {b}
groups = ["research"]
home = "/scratch/home/%u"
inactive = "drop"
"#,
        ledger = at("ledger"),
        a = at("cluster-a"),
        b = at("cluster-b"),
    );
    let path = out.join("sup.toml");
    // What the store and the ledgers hold is private, and so is where they are.
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)?
        .write_all(text.as_bytes())?;
    Ok(Config::read(&path)?)
}

/// After the sessions, all files are there and the later leaver can log in on both clusters.
pub(super) fn check_arrival(out: &Path, reports: &[Report]) -> Result<(), Failure> {
    for cluster in NAMES {
        for file in FILES {
            let path = out.join(cluster).join(file);
            check(path.is_file(), || format!("{} is not there", path.display()))?;
        }
        let passwd = read(out, cluster, "passwd.cache")?;
        let line = line_of(&passwd, LEAVER).unwrap_or_default();
        check(line.ends_with(":/bin/bash"), || {
            format!("{cluster}: {LEAVER} has the line `{line}`")
        })?;
        let keys = read(out, cluster, "sshkey.cache")?;
        check(keys.contains(&format!("{LEAVER}:['ssh-ed25519 ")), || {
            format!("{cluster}: {LEAVER} has no key")
        })?;
    }
    check(reports.len() == NAMES.len(), || "a cluster is missing in the report".to_owned())
}

/// After she was deactivated, she is locked on one cluster and gone from the other.
pub(super) fn check_departure(out: &Path) -> Result<(), Failure> {
    let passwd = read(out, "cluster-a", "passwd.cache")?;
    let line = line_of(&passwd, LEAVER).unwrap_or_default();
    check(line.ends_with("/nologin"), || format!("cluster-a: {LEAVER} has the line `{line}`"))?;
    let keys = read(out, "cluster-a", "sshkey.cache")?;
    let key = line_of(&keys, LEAVER).unwrap_or_default();
    check(!key.contains("ssh-"), || format!("cluster-a: {LEAVER} still has keys"))?;
    let groups = read(out, "cluster-a", "group.cache")?;
    let is_member = groups.lines().any(|line| {
        let members = line.rsplit(':').next().unwrap_or_default();
        members.split(',').any(|member| member == LEAVER)
    });
    check(!is_member, || format!("cluster-a: {LEAVER} is still in a group"))?;
    for file in ["passwd.cache", "shadow.cache", "sshkey.cache", "group.cache"] {
        let text = read(out, "cluster-b", file)?;
        check(line_of(&text, LEAVER).is_none(), || {
            format!("cluster-b: {LEAVER} is still in {file}")
        })?;
    }
    Ok(())
}

fn check(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(otherwise().into()) }
}

fn read(out: &Path, cluster: &str, file: &str) -> Result<String, Failure> {
    let path: PathBuf = out.join(cluster).join(file);
    std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()).into())
}

fn line_of<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find(|line| line.split(':').next() == Some(name))
}
