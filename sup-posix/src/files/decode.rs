//! The strict reader: what it accepts is what the writer writes, in any order of lines.

use std::collections::{BTreeMap, BTreeSet};

use super::encode::file_name;
use crate::{
    gecos::{Gecos, GecosError},
    home::HomeDir,
    key::{KeyLine, KeyLineError},
    name::{NameError, PosixName},
    number::NumberError,
    path::PathError,
    plan::Map,
    shell::Shell,
    state::{Access, Account, Clash, Group, State},
};

/// Where a file is not as a writer of this crate leaves it, and how.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} line {line}: {kind}", file_name(*map))]
pub struct ReadError {
    /// The map.
    pub map: Map,
    /// The line, the first being 1; 0 for the whole file.
    pub line: usize,
    /// What is wrong with it.
    pub kind: ReadErrorKind,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadErrorKind {
    /// Bytes that are no text.
    #[error("expected UTF-8")]
    Encoding,
    /// The file ends within a line.
    #[error("expected an end of line: the file is cut")]
    Cut,
    /// Too few or too many fields.
    #[error("{found} fields: expected {expected}")]
    Fields {
        /// How many there are.
        found: usize,
        /// How many there should be.
        expected: usize,
    },
    /// A password field of another kind.
    #[error("expected no password")]
    Password,
    /// A field that is always empty is not.
    #[error("expected the other fields to be empty")]
    NotEmpty,
    /// A name.
    #[error("{0}")]
    Name(#[from] NameError),
    /// A number.
    #[error("{0}")]
    Number(#[from] NumberError),
    /// A display name.
    #[error("{0}")]
    Gecos(#[from] GecosError),
    /// A path.
    #[error("{0}")]
    Path(#[from] PathError),
    /// A key.
    #[error("{0}")]
    Key(#[from] KeyLineError),
    /// The list of keys is neither empty nor a list of texts.
    #[error("expected nothing, one key, or a list of quoted keys")]
    KeyList,
    /// Two records that cannot both be true.
    #[error("{0}")]
    Clash(#[from] Clash),
    /// A member is named twice.
    #[error("`{0}` is a member twice: expected each once")]
    MemberTwice(PosixName),
    /// A map does not have exactly the accounts of `passwd`.
    #[error("`{0}` is not in every map: expected the same accounts in passwd, shadow and sshkey")]
    Uneven(PosixName),
    /// A locked account that is not.
    #[error("`{0}` is locked and has a shell or keys: expected neither")]
    HalfLocked(PosixName),
}

/// Reads the four maps back into what they were written from.
///
/// # Errors
/// [`ReadError`] names the first line that no writer of this crate leaves.
pub fn decode(
    passwd: &[u8],
    group: &[u8],
    shadow: &[u8],
    sshkey: &[u8],
) -> Result<State, ReadError> {
    let mut locked = by_name(Map::Shadow, shadow, |_, fields| read_shadow(fields))?;
    let mut keys = by_name(Map::Sshkey, sshkey, |_, fields| read_sshkey(fields))?;
    let mut state = State::default();
    each(Map::Passwd, passwd, |fields| {
        let (name, rest) = read_name(fields)?;
        let uneven = || ReadErrorKind::Uneven(name.clone());
        let locked = locked.remove(&name).ok_or_else(uneven)?;
        let keys = keys.remove(&name).ok_or_else(uneven)?;
        Ok(state.add_account(read_passwd(name, rest, locked, keys)?)?)
    })?;
    for (map, name) in [(Map::Shadow, locked.keys().next()), (Map::Sshkey, keys.keys().next())] {
        if let Some(name) = name {
            return Err(ReadError { map, line: 0, kind: ReadErrorKind::Uneven(name.clone()) });
        }
    }
    each(Map::Group, group, |fields| {
        let (name, rest) = read_name(fields)?;
        Ok(state.add_group(read_group(name, rest)?)?)
    })?;
    Ok(state)
}

/// Hands every line's fields on, and says where the first wrong one is.
fn each<'b>(
    map: Map,
    bytes: &'b [u8],
    mut read: impl FnMut(&[&'b str]) -> Result<(), ReadErrorKind>,
) -> Result<(), ReadError> {
    let error = |line, kind| ReadError { map, line, kind };
    let text = str::from_utf8(bytes).map_err(|_| error(0, ReadErrorKind::Encoding))?;
    let Some(body) = text.strip_suffix('\n') else {
        return if text.is_empty() { Ok(()) } else { Err(error(0, ReadErrorKind::Cut)) };
    };
    for (line, text) in (1..).zip(body.split('\n')) {
        let fields: Vec<_> = match map {
            Map::Sshkey => text.splitn(2, ':').collect(),
            _ => text.split(':').collect(),
        };
        let expected = expected_fields(map);
        let counted = if fields.len() == expected {
            Ok(())
        } else {
            Err(ReadErrorKind::Fields { found: fields.len(), expected })
        };
        counted.and_then(|()| read(&fields)).map_err(|kind| error(line, kind))?;
    }
    Ok(())
}

fn expected_fields(map: Map) -> usize {
    match map {
        Map::Passwd => 7,
        Map::Group => 4,
        Map::Shadow => 9,
        Map::Sshkey => 2,
    }
}

/// One value for each name of a map.
fn by_name<T>(
    map: Map,
    bytes: &[u8],
    read: impl Fn(&PosixName, &[&str]) -> Result<T, ReadErrorKind>,
) -> Result<BTreeMap<PosixName, T>, ReadError> {
    let mut values = BTreeMap::new();
    each(map, bytes, |fields| {
        let (name, rest) = read_name(fields)?;
        let value = read(&name, rest)?;
        match values.insert(name.clone(), value) {
            None => Ok(()),
            Some(_) => Err(Clash::Name { name }.into()),
        }
    })?;
    Ok(values)
}

fn read_name<'f, 'b>(fields: &'f [&'b str]) -> Result<(PosixName, &'f [&'b str]), ReadErrorKind> {
    let (name, rest) = fields.split_first().unwrap_or((&"", &[]));
    Ok((PosixName::new(name)?, rest))
}

fn read_passwd(
    name: PosixName,
    fields: &[&str],
    is_locked: bool,
    keys: Vec<KeyLine>,
) -> Result<Account, ReadErrorKind> {
    let [password, uid, gid, gecos, home, shell] = *fields else {
        return Err(ReadErrorKind::Fields { found: fields.len() + 1, expected: 7 });
    };
    if password != "x" {
        return Err(ReadErrorKind::Password);
    }
    let shell = Shell::new(shell)?;
    let access = if !is_locked {
        Access::Open { shell, keys }
    } else if shell == Shell::nologin() && keys.is_empty() {
        Access::Locked
    } else {
        return Err(ReadErrorKind::HalfLocked(name));
    };
    let (gecos, home) = (Gecos::new(gecos)?, HomeDir::new(home)?);
    Ok(Account { name, uid: uid.parse()?, gid: gid.parse()?, gecos, home, access })
}

fn read_group(name: PosixName, fields: &[&str]) -> Result<Group, ReadErrorKind> {
    let [password, gid, list] = *fields else {
        return Err(ReadErrorKind::Fields { found: fields.len() + 1, expected: 4 });
    };
    if password != "x" {
        return Err(ReadErrorKind::Password);
    }
    let mut members = BTreeSet::new();
    for member in list.split(',').filter(|_| !list.is_empty()) {
        let member = PosixName::new(member)?;
        if !members.insert(member.clone()) {
            return Err(ReadErrorKind::MemberTwice(member));
        }
    }
    Ok(Group { name, gid: gid.parse()?, members })
}

/// Whether the account is locked.
fn read_shadow(fields: &[&str]) -> Result<bool, ReadErrorKind> {
    let (password, rest) = fields.split_first().unwrap_or((&"", &[]));
    if rest.iter().any(|field| !field.is_empty()) {
        return Err(ReadErrorKind::NotEmpty);
    }
    match *password {
        "*" => Ok(false),
        "!*" => Ok(true),
        _ => Err(ReadErrorKind::Password),
    }
}

fn read_sshkey(fields: &[&str]) -> Result<Vec<KeyLine>, ReadErrorKind> {
    let field = fields.first().copied().unwrap_or_default();
    let keys = read_keys(field).ok_or(ReadErrorKind::KeyList)?;
    Ok(keys.iter().map(|key| KeyLine::parse(key)).collect::<Result<_, _>>()?)
}

/// The keys in the second field of a line of `sshkey.cache`, in either form that nsscache ever wrote: a Python list of
/// texts in single or double quotes, or one key as it is. Nothing where the field is neither.
///
/// What comes out is text from a file: [`crate::AuthorizedKey::parse`] says whether it is a key.
///
/// ```
/// use sup_posix::files::read_keys;
/// assert_eq!(read_keys(r#"['k1', "k2 it's"]"#), Some(vec!["k1".into(), "k2 it's".into()]));
/// assert_eq!(read_keys("ssh-rsa AAAA"), Some(vec!["ssh-rsa AAAA".into()]));
/// assert_eq!(read_keys("['k1', id()]"), None);
/// ```
pub fn read_keys(field: &str) -> Option<Vec<String>> {
    let Some(list) = field.strip_prefix('[') else {
        return Some(if field.is_empty() { Vec::new() } else { vec![field.into()] });
    };
    let mut rest = list.strip_suffix(']')?;
    let mut keys = Vec::new();
    while !rest.is_empty() {
        let (key, after) = read_quoted(rest)?;
        keys.push(key);
        rest = match after.strip_prefix(", ") {
            Some("") => return None,
            Some(after) => after,
            None if after.is_empty() => after,
            None => return None,
        };
    }
    Some(keys)
}

/// A Python text and what follows it; of escapes only those of quotes and of the backslash.
fn read_quoted(text: &str) -> Option<(String, &str)> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let mut read = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => {
                read.push(chars.next().map(|(_, c)| c).filter(|c| matches!(c, '\'' | '"' | '\\'))?)
            }
            c if c == quote => return Some((read, text.get(at + 1..)?)),
            c => read.push(c),
        }
    }
    None
}
