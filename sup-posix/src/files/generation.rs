//! One generation of the cache: a directory with every file and a manifest, written once and never changed.

use std::{io, os::fd::AsFd, time::SystemTime};

use rustix::fs::{AtFlags, Dir, Mode, fchmod, fstat, fsync, mkdirat, unlinkat};

use super::{
    decode::decode,
    encode::{MapFile, encode},
    manifest::{self, Manifest, digest},
};
use crate::{
    disk,
    ledger::seconds,
    plan::{Base, Current, Plan},
};

/// The name of a generation's directory.
pub(super) fn name(number: u64) -> String {
    format!("{number:010}")
}

/// The number of the directory `name`, when it is a generation's.
pub(super) fn number(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number| name(*number) == text)
}

/// Writes a generation; nothing refers to it yet.
pub(super) fn write(generations: impl AsFd, number: u64, plan: &Plan) -> io::Result<()> {
    let name = name(number);
    mkdirat(&generations, &name, Mode::from_raw_mode(0o755))?;
    let dir = disk::open_subdir(&generations, &name)?;
    // The umask may have taken bits away.
    fchmod(&dir, Mode::from_raw_mode(0o755))?;
    let files = encode(plan.next());
    // One moment for all: libnss-cache passes an index by that is older than its map.
    let moment = SystemTime::now();
    for MapFile { name, mode, bytes } in &files {
        disk::create(&dir, name, bytes, *mode, moment)?;
    }
    let manifest = Manifest::new(plan.source(), &files).text();
    disk::create(&dir, manifest::NAME, manifest.as_bytes(), 0o644, moment)?;
    fsync(&dir)?;
    Ok(fsync(&generations)?)
}

/// Reads a generation back through the strict reader. What is not as it was written is damage, not an error.
pub(super) fn read(generations: impl AsFd, number: u64) -> io::Result<Current> {
    let name = name(number);
    let dir = disk::open_subdir(generations, &name)?;
    let text = disk::read(&dir, manifest::NAME)?.unwrap_or_default();
    let base = Base::new(&format!("{name}:{}", digest(&text)));
    let Some(manifest) = str::from_utf8(&text).ok().and_then(Manifest::parse) else {
        return Ok(Current { base, damage: Some("no manifest".into()), ..Current::default() });
    };
    let source = Some(manifest.source.clone());
    let mut maps = Vec::new();
    for file in encode(&crate::State::default()) {
        let bytes = disk::read(&dir, file.name)?.unwrap_or_default();
        if !manifest.holds(file.name, &bytes) {
            let damage = Some(format!("{} is not as it was written", file.name));
            return Ok(Current { base, source, damage, ..Current::default() });
        }
        if !file.name.contains(".ix") {
            maps.push(bytes);
        }
    }
    let [passwd, group, shadow, sshkey] = maps.as_slice() else {
        return Ok(Current { base, source, damage: Some("no maps".into()), ..Current::default() });
    };
    Ok(match decode(passwd, group, shadow, sshkey) {
        Ok(state) => Current { state, source, base, damage: None },
        Err(error) => {
            Current { base, source, damage: Some(error.to_string()), ..Current::default() }
        }
    })
}

/// Whether a generation was complete, or given up, a minute ago. Nobody takes that long to open a file below a link that
/// he has just read.
pub(super) fn is_settled(generations: impl AsFd, number: u64) -> io::Result<bool> {
    let stat = fstat(disk::open_subdir(generations, &name(number))?)?;
    let since = u64::try_from(stat.st_mtime).unwrap_or_default();
    let age = seconds(SystemTime::now()).checked_sub(since);
    Ok(age.is_some_and(|age| age > 60))
}

/// The numbers of all generations, also of such as were left half written.
pub(super) fn numbers(generations: impl AsFd) -> io::Result<Vec<u64>> {
    Ok(entries(generations)?.iter().filter_map(|name| number(name)).collect())
}

/// Removes a generation.
pub(super) fn remove(generations: impl AsFd, number: u64) -> io::Result<()> {
    let name = name(number);
    let dir = disk::open_subdir(&generations, &name)?;
    for entry in entries(&dir)? {
        disk::remove(&dir, &entry)?;
    }
    Ok(unlinkat(generations, &name, AtFlags::REMOVEDIR)?)
}

fn entries(dir: impl AsFd) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(dir)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name != "." && name != ".." {
            names.push(name);
        }
    }
    Ok(names)
}
