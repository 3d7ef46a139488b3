//! `attrPath = [URI ":"] ATTRNAME *1("." ATTRNAME)`.

use super::{
    Fault, Parsed,
    byte::{NAME, URI, run, skip, split, starts},
};
use crate::{AttrPath, ParseErrorKind as Kind};

/// The text of an attribute path, where its name starts and where it ends.
#[derive(Clone, Copy)]
pub(super) struct PathText<'a> {
    pub(super) text: &'a str,
    pub(super) name: usize,
    pub(super) end: usize,
}

impl PathText<'_> {
    pub(super) fn has_sub(self) -> bool {
        self.end < self.text.len()
    }
}

impl From<PathText<'_>> for AttrPath {
    fn from(PathText { text, name, end }: PathText<'_>) -> Self {
        Self::checked(text, name, end)
    }
}

/// `[URI ":"] ATTRNAME ["." ATTRNAME]`.
#[inline]
pub(super) fn attr_path(i: &str) -> Parsed<'_, PathText<'_>> {
    let end = name(i);
    let len = match i.as_bytes().get(end) {
        Some(b'.') => end + 1 + name(skip(i, end + 1)),
        _ => end,
    };
    let (text, rest) = split(i, len);
    // What is wrong is said where paths behind a URN are read.
    if end == 0 || len == end + 1 || starts(rest, URI) {
        return qualified(i);
    }
    Ok((rest, PathText { text, name: 0, end }))
}

/// A path behind a URN, or a wrong one: the URN ends at the last colon, and only then is a dot a dot.
fn qualified(i: &str) -> Parsed<'_, PathText<'_>> {
    let (text, rest) = split(i, run(i, NAME | URI));
    let name = text.rfind(':').map_or(0, |colon| colon + 1);
    let end = name + run(skip(text, name), NAME);
    let path = checked(i, PathText { text, name, end })?;
    if name > 0 && !text.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return Err(Fault::of(Kind::Attribute, i, 1));
    }
    Ok((rest, path))
}

/// A path whose parts are what they should be; `i` is the input from the path on.
fn checked<'a>(i: &str, path: PathText<'a>) -> Result<PathText<'a>, nom::Err<Fault>> {
    let PathText { text, name, end } = path;
    part(i, name, end, Kind::Attribute)?;
    let rest = skip(text, end);
    if rest.is_empty() {
        return Ok(path);
    }
    if !rest.starts_with('.') {
        return Err(Fault::of(Kind::Attribute, skip(i, end), 1));
    }
    let sub = end + 1 + run(skip(rest, 1), NAME);
    part(i, end + 1, sub, Kind::SubAttribute)?;
    if sub < text.len() {
        return Err(Fault::of(Kind::Nested, skip(i, sub), 1));
    }
    Ok(path)
}

/// `ATTRNAME`.
pub(super) fn attr_name(i: &str, kind: Kind) -> Parsed<'_, &str> {
    let len = run(i, NAME);
    part(i, 0, len, kind)?;
    let (name, rest) = split(i, len);
    Ok((rest, name))
}

/// Checks that `i[from..to]`, which holds only name characters, starts as a name does.
fn part(i: &str, from: usize, to: usize, kind: Kind) -> Result<(), nom::Err<Fault>> {
    let i = skip(i, from);
    if name(i) > 0 { Ok(()) } else { Err(Fault::of(kind, i, (to - from).max(1))) }
}

/// The length of the `ATTRNAME` that `i` starts with, 0 where it starts with none: a letter, or `$` and a
/// letter (erratum 8924), then name characters.
fn name(i: &str) -> usize {
    match i.as_bytes() {
        [b'a'..=b'z' | b'A'..=b'Z', ..] | [b'$', b'a'..=b'z' | b'A'..=b'Z', ..] => run(i, NAME),
        _ => 0,
    }
}
