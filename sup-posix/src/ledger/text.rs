//! The ledger as text: one fact a line, fields apart by tabs, closed by a checksum.

use std::{
    fmt::Write,
    path::PathBuf,
    str::FromStr,
    time::{Duration, SystemTime},
};

use sha2::{Digest, Sha256};

use super::{Contradiction, Ledger, Owner, RecordId, Stay};

const HEAD: &str = "sup-ledger 1";

/// Why a ledger cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// The text is cut, altered or no ledger.
    #[error(
        "the ledger is damaged: {why}: restore it from a copy, for it says whose every number is"
    )]
    Damaged {
        /// What is wrong.
        why: String,
    },
    /// What should be written contradicts what is written.
    #[error("the ledger refuses the plan: {0}")]
    Contradiction(#[from] Contradiction),
    /// Another process holds the ledger.
    #[error("the ledger `{}` is in use by another process", path.display())]
    InUse {
        /// The ledger's file.
        path: PathBuf,
    },
    /// The file cannot be read or written.
    #[error("the ledger `{}` could not be {what}: {source}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// The ledger's file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

fn damaged(why: impl Into<String>) -> LedgerError {
    LedgerError::Damaged { why: why.into() }
}

impl Ledger {
    /// The whole ledger as text: sorted, one fact a line, with a checksum at the end.
    pub fn text(&self) -> String {
        let mut text = format!("{HEAD}\n");
        for (name, owner) in &self.names {
            push(&mut text, &["name", name.as_str(), kind(owner), id(owner)]);
        }
        for (uid, owner) in &self.uids {
            push(&mut text, &["uid", &uid.to_string(), "user", owner.as_str()]);
        }
        for (gid, owner) in &self.gids {
            push(&mut text, &["gid", &gid.to_string(), kind(owner), id(owner)]);
        }
        for (cluster, stays) in &self.stays {
            for (id, stay) in stays {
                push_stay(&mut text, cluster.as_str(), id, stay);
            }
        }
        for (cluster, losses) in &self.losses {
            for (second, lost) in losses {
                push(
                    &mut text,
                    &["loss", cluster.as_str(), &second.to_string(), &lost.to_string()],
                );
            }
        }
        let sum = checksum(&text);
        push(&mut text, &["sum", &sum]);
        text
    }

    /// Reads a ledger from its text, strictly: every line must be one that [`Ledger::text`] writes.
    ///
    /// # Errors
    /// [`LedgerError::Damaged`] says which line or that the checksum differs.
    pub fn parse(text: &str) -> Result<Self, LedgerError> {
        let cut = || damaged("its last line is no checksum");
        let (body, sum) = text.rsplit_once("sum\t").ok_or_else(cut)?;
        let sum = sum.strip_suffix('\n').ok_or_else(cut)?;
        if sum != checksum(body) {
            return Err(damaged("its checksum differs"));
        }
        let mut lines = body.lines();
        if lines.next() != Some(HEAD) {
            return Err(damaged(format!("its first line is not `{HEAD}`")));
        }
        let mut ledger = Self::default();
        for (at, line) in lines.enumerate() {
            let fields: Vec<_> = line.split('\t').collect();
            ledger.read(&fields).ok_or_else(|| damaged(format!("line {} is no fact", at + 2)))?;
        }
        Ok(ledger)
    }

    fn read(&mut self, fields: &[&str]) -> Option<()> {
        match *fields {
            ["name", name, kind, id] => {
                self.names.insert(read(name)?, owner(kind, id)?);
            }
            ["uid", uid, "user", id] => {
                let (uid, id) = (read(uid)?, read::<RecordId>(id)?);
                self.uids.insert(uid, id.clone());
                self.numbers.insert(id, uid);
            }
            ["gid", gid, kind, id] => {
                let (gid, owner) = (read(gid)?, owner(kind, id)?);
                if let Owner::Group(id) = &owner {
                    self.group_numbers.insert(id.clone(), gid);
                }
                self.gids.insert(gid, owner);
            }
            ["stay", cluster, id, name, uid, gid, home, locked, gecos, rsa] => {
                let stay = Stay {
                    name: read(name)?,
                    uid: read(uid)?,
                    gid: read(gid)?,
                    gecos: crate::Gecos::new(gecos).ok()?,
                    home: read(home)?,
                    locked: read_locked(locked)?,
                    rsa: rsa.split_terminator(',').map(str::to_owned).collect(),
                };
                self.stays.entry(read(cluster)?).or_default().insert(read(id)?, stay);
            }
            ["loss", cluster, second, lost] => {
                self.losses.entry(read(cluster)?).or_default().insert(read(second)?, read(lost)?);
            }
            _ => return None,
        }
        Some(())
    }
}

fn push(text: &mut String, fields: &[&str]) {
    text.push_str(&fields.join("\t"));
    text.push('\n');
}

fn push_stay(text: &mut String, cluster: &str, id: &RecordId, stay: &Stay) {
    let locked = stay.locked.map_or("open".into(), |since| seconds(since).to_string());
    let (uid, gid) = (stay.uid.to_string(), stay.gid.to_string());
    let (name, home, gecos) = (stay.name.as_str(), stay.home.as_str(), stay.gecos.as_str());
    let rsa = stay.rsa.iter().map(String::as_str).collect::<Vec<_>>().join(",");
    push(text, &["stay", cluster, id.as_str(), name, &uid, &gid, home, &locked, gecos, &rsa]);
}

/// Whole seconds since 1970: all that a period of days needs.
pub(crate) fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

fn read_locked(text: &str) -> Option<Option<SystemTime>> {
    if text == "open" {
        return Some(None);
    }
    let since = Duration::from_secs(text.parse().ok()?);
    SystemTime::UNIX_EPOCH.checked_add(since).map(Some)
}

fn read<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

fn kind(owner: &Owner) -> &'static str {
    match owner {
        Owner::User(_) => "user",
        Owner::Group(_) => "group",
    }
}

fn id(owner: &Owner) -> &str {
    match owner {
        Owner::User(id) | Owner::Group(id) => id.as_str(),
    }
}

fn owner(kind: &str, id: &str) -> Option<Owner> {
    match kind {
        "user" => read(id).map(Owner::User),
        "group" => read(id).map(Owner::Group),
        _ => None,
    }
}

fn checksum(text: &str) -> String {
    hex(&Sha256::digest(text))
}

/// Bytes in lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
