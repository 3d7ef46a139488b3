//! `attrPath = [URI ":"] ATTRNAME *1("." ATTRNAME)`.

use super::{
    Parser,
    byte::{NAME, URI, run, skip, split, starts},
};
use crate::{AttrPath, ParseError, ParseErrorKind as Kind};

/// The text of an attribute path, where its name starts and where it ends.
#[derive(Clone, Copy)]
pub(super) struct PathText<'t> {
    pub(super) text: &'t str,
    pub(super) name: usize,
    pub(super) end: usize,
}

impl<'t> PathText<'t> {
    /// A name alone, known to be one.
    pub(super) fn name(text: &'t str) -> Self {
        Self { text, name: 0, end: text.len() }
    }

    pub(super) fn has_sub(self) -> bool {
        self.end < self.text.len()
    }
}

impl From<PathText<'_>> for AttrPath {
    fn from(PathText { text, name, end }: PathText<'_>) -> Self {
        Self::checked(text, name, end)
    }
}

impl<'t> Parser<'t> {
    /// `[URI ":"] ATTRNAME ["." ATTRNAME]`.
    pub(super) fn attr_path(&mut self) -> Result<PathText<'t>, ParseError> {
        let end = self.word_len();
        let after = skip(self.rest, end);
        let len = if after.starts_with('.') { end + 1 + run(skip(after, 1), NAME) } else { end };
        let (text, rest) = split(self.rest, len);
        if starts(rest, URI) {
            return self.qualified();
        }
        let path = self.checked(PathText { text, name: 0, end })?;
        self.rest = rest;
        Ok(path)
    }

    /// A path behind a URN, or a wrong one: the URN ends at the last colon, and only behind it is a dot
    /// the one before a sub-attribute.
    fn qualified(&mut self) -> Result<PathText<'t>, ParseError> {
        let (text, rest) = split(self.rest, run(self.rest, NAME | URI));
        let name = text.rfind(':').map_or(0, |colon| colon + 1);
        let end = name + run(skip(text, name), NAME);
        let path = self.checked(PathText { text, name, end })?;
        if name > 0 && !text.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return Err(self.error(Kind::Attribute, 1));
        }
        self.rest = rest;
        Ok(path)
    }

    /// The path, which stands here, if its parts are what they should be.
    fn checked(&self, path: PathText<'t>) -> Result<PathText<'t>, ParseError> {
        let PathText { text, name, end } = path;
        self.part(name, end, Kind::Attribute)?;
        let rest = skip(text, end);
        if rest.is_empty() {
            return Ok(path);
        }
        if !rest.starts_with('.') {
            return Err(self.error_at(Kind::Attribute, self.at() + end, 1));
        }
        let sub = end + 1 + run(skip(rest, 1), NAME);
        self.part(end + 1, sub, Kind::SubAttribute)?;
        if sub < text.len() {
            return Err(self.error_at(Kind::Nested, self.at() + sub, 1));
        }
        Ok(path)
    }

    /// `ATTRNAME`: a letter, or `$` and a letter (erratum 8924), then name characters.
    pub(super) fn attr_name(&mut self, kind: Kind) -> Result<&'t str, ParseError> {
        let len = self.word_len();
        self.part(0, len, kind)?;
        Ok(self.take(len))
    }

    /// Checks that a part of what stands here, which holds only name characters, starts as a name does.
    fn part(&self, from: usize, to: usize, kind: Kind) -> Result<(), ParseError> {
        match self.rest.as_bytes().get(from..to) {
            Some([b'a'..=b'z' | b'A'..=b'Z', ..] | [b'$', b'a'..=b'z' | b'A'..=b'Z', ..]) => Ok(()),
            _ => Err(self.error_at(kind, self.at() + from, (to - from).max(1))),
        }
    }
}
