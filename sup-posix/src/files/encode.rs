//! The one place where lines are made. Every field is of a type that cannot hold a separator, so nothing is escaped.

use crate::{
    plan::Map,
    state::{Account, Group, State},
};

/// A file of the cache, ready to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MapFile {
    /// Its name in the cache's directory.
    pub name: &'static str,
    /// Its permissions.
    pub mode: u32,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// Every file of the cache, each map followed by its indexes, records in the order of names.
///
/// Lines are those of coreweave/nsscache's files cache; indexes hold the offset of each line in bytes, and every
/// record has the same length, for libnss-cache searches them by halves.
///
/// ```
/// use sup_posix::{State, files::encode};
/// let names: Vec<_> = encode(&State::default()).iter().map(|file| file.name).collect();
/// assert_eq!(names, ["passwd.cache", "passwd.cache.ixname", "passwd.cache.ixuid", "group.cache",
///     "group.cache.ixname", "group.cache.ixgid", "shadow.cache", "shadow.cache.ixname", "sshkey.cache",
///     "sshkey.cache.ixname"]);
/// ```
pub fn encode(state: &State) -> Vec<MapFile> {
    let accounts = || state.accounts().values();
    let passwd = Records::of(accounts(), passwd);
    let group = Records::of(state.groups().values(), group);
    let shadow = Records::of(accounts(), shadow);
    let sshkey = Records::of(accounts(), sshkey);
    let names: Vec<_> = accounts().map(|account| account.name.to_string()).collect();
    let uids = accounts().map(|account| account.uid.to_string()).collect::<Vec<_>>();
    let group_names: Vec<_> = state.groups().keys().map(ToString::to_string).collect();
    let gids: Vec<_> = state.groups().values().map(|group| group.gid.to_string()).collect();
    let file = |name, mode, bytes| MapFile { name, mode, bytes };
    vec![
        file("passwd.cache", 0o644, passwd.bytes()),
        file("passwd.cache.ixname", 0o644, passwd.index(&names)),
        file("passwd.cache.ixuid", 0o644, passwd.index(&uids)),
        file("group.cache", 0o644, group.bytes()),
        file("group.cache.ixname", 0o644, group.index(&group_names)),
        file("group.cache.ixgid", 0o644, group.index(&gids)),
        file("shadow.cache", 0o640, shadow.bytes()),
        file("shadow.cache.ixname", 0o640, shadow.index(&names)),
        file("sshkey.cache", 0o444, sshkey.bytes()),
        file("sshkey.cache.ixname", 0o644, sshkey.index(&names)),
    ]
}

/// The file of a map.
pub(super) fn file_name(map: Map) -> &'static str {
    match map {
        Map::Passwd => "passwd.cache",
        Map::Group => "group.cache",
        Map::Shadow => "shadow.cache",
        Map::Sshkey => "sshkey.cache",
    }
}

/// `name:x:uid:gid:gecos:home:shell`
pub(super) fn passwd(account: &Account) -> String {
    let Account { name, uid, gid, gecos, home, .. } = account;
    format!("{name}:x:{uid}:{gid}:{gecos}:{home}:{}\n", account.shell())
}

/// `name:x:gid:member,member`
pub(super) fn group(group: &Group) -> String {
    let members: Vec<_> = group.members.iter().map(|name| name.as_str()).collect();
    format!("{}:x:{}:{}\n", group.name, group.gid, members.join(","))
}

/// `name:*:::::::`, with `!*` where the account is locked: no password ever fits.
pub(super) fn shadow(account: &Account) -> String {
    let password = if account.is_open() { "*" } else { "!*" };
    format!("{}:{password}:::::::\n", account.name)
}

/// `name:['key', 'key']`, a Python list; a line of ours holds nothing that Python would escape.
pub(super) fn sshkey(account: &Account) -> String {
    let keys: Vec<_> = account.keys().iter().map(|key| format!("'{key}'")).collect();
    let list = if keys.is_empty() { String::new() } else { format!("[{}]", keys.join(", ")) };
    format!("{}:{list}\n", account.name)
}

/// The lines of a map.
struct Records(Vec<String>);

impl Records {
    fn of<'r, T: 'r>(records: impl Iterator<Item = &'r T>, line: fn(&T) -> String) -> Self {
        Self(records.map(line).collect())
    }

    fn bytes(&self) -> Vec<u8> {
        self.0.concat().into_bytes()
    }

    /// The index of the keys, one for each line.
    fn index(&self, keys: &[String]) -> Vec<u8> {
        let begins = self.0.iter().scan(0, |next, line| {
            let begin = *next;
            *next += line.len();
            Some(begin)
        });
        index(keys.iter().map(String::as_str).zip(begins))
    }
}

/// `key NUL offset NUL … LF`, all of one length, in the order of the keys as text; offsets count bytes.
pub(super) fn index<'k>(records: impl Iterator<Item = (&'k str, usize)>) -> Vec<u8> {
    let mut records: Vec<_> = records.map(|(key, offset)| (key, offset.to_string())).collect();
    records.sort();
    let longest_key = records.iter().map(|(key, _)| key.len()).max().unwrap_or(0);
    let longest_offset = records.iter().map(|(_, offset)| offset.len()).max().unwrap_or(0);
    let width = longest_key + longest_offset + 2;
    let mut bytes = Vec::with_capacity((width + 1) * records.len());
    for (key, offset) in &records {
        let end = bytes.len() + width;
        bytes.extend_from_slice(key.as_bytes());
        bytes.push(0);
        bytes.extend_from_slice(offset.as_bytes());
        bytes.resize(end, 0);
        bytes.push(b'\n');
    }
    bytes
}
