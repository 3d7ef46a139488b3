//! The grammar of RFC 7644 Figures 1 and 7, one method a production, with the budgets.
//!
//! Written by hand: what parses in a tenth of a microsecond is mostly the copying of results, and a
//! combinator's result carries the rest of the input with it.
//!
//! Invariant: methods call themselves only through groups and brackets, which count depth before they
//! do, so the stack used is bounded by [`Limits::MAX_DEPTH`] whatever the text is.

mod byte;
mod filter;
mod literal;
mod path;

pub(crate) use literal::number;

use crate::{AttrPath, Filter, Limits, ParseError, ParseErrorKind as Kind, Path, Syntax};

/// Reads a whole text as a filter.
pub(crate) fn filter(text: &str, syntax: &Syntax, limits: &Limits) -> Result<Filter, ParseError> {
    let mut parser = Parser::new(text, syntax, limits, Place::Filter)?;
    let mut read = parser.filter();
    if read.is_ok()
        && let Err(error) = parser.end(Kind::End)
    {
        read = Err(error);
    }
    read
}

/// Reads a whole text as the path of a PATCH operation.
pub(crate) fn path(text: &str, syntax: &Syntax, limits: &Limits) -> Result<Path, ParseError> {
    let mut parser = Parser::new(text, syntax, limits, Place::Path)?;
    let path = parser.path()?;
    parser.end(Kind::PathEnd)?;
    Ok(path)
}

/// Reads a whole text as an attribute path.
pub(crate) fn attr_path(text: &str, limits: &Limits) -> Result<AttrPath, ParseError> {
    let mut parser = Parser::new(text, &Syntax::STRICT, limits, Place::Path)?;
    parser.blanks();
    let path = parser.attr_path()?;
    parser.end(Kind::PathEnd)?;
    Ok(path.into())
}

/// A text, how far it is read, and what of its budget is used.
struct Parser<'t> {
    text: &'t str,
    rest: &'t str,
    syntax: &'t Syntax,
    limits: &'t Limits,
    place: Place,
    depth: usize,
    terms: usize,
}

/// What is being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// A path, outside brackets.
    Path,
    /// A filter, outside brackets.
    Filter,
    /// A filter inside brackets, where paths are sub-attributes.
    Brackets,
}

impl<'t> Parser<'t> {
    fn new(
        text: &'t str,
        syntax: &'t Syntax,
        limits: &'t Limits,
        place: Place,
    ) -> Result<Self, ParseError> {
        let parser = Self { text, rest: text, syntax, limits, place, depth: 0, terms: 0 };
        let limit = limits.max_bytes();
        if text.len() > limit {
            return Err(parser.error_at(Kind::TooLong { limit }, limit, text.len()));
        }
        Ok(parser)
    }

    /// What stands here is not what `kind` says; `len` bytes of it are shown.
    #[cold]
    fn error(&self, kind: Kind, len: usize) -> ParseError {
        self.error_at(kind, self.at(), len)
    }

    #[cold]
    fn error_at(&self, kind: Kind, at: usize, len: usize) -> ParseError {
        let end = self.text.ceil_char_boundary(at.saturating_add(len).min(self.text.len()));
        ParseError::new(kind, self.text, at..end, self.place != Place::Path)
    }

    /// The byte that is read next.
    fn at(&self) -> usize {
        self.text.len() - self.rest.len()
    }

    /// Counts a term that starts at byte `at`.
    fn term_at(&mut self, at: usize) -> Result<(), ParseError> {
        let limit = self.limits.terms;
        if self.terms >= limit {
            return Err(self.error_at(Kind::TooManyTerms { limit }, at, 0));
        }
        self.terms += 1;
        Ok(())
    }

    /// Reads the opening bracket that stands here, and counts it.
    fn open(&mut self) -> Result<(), ParseError> {
        let limit = self.limits.max_depth();
        if self.depth >= limit {
            return Err(self.error(Kind::TooDeep { limit }, 1));
        }
        self.depth += 1;
        self.skip(1);
        Ok(())
    }

    /// Reads a closing bracket behind blanks, and counts it.
    fn close(&mut self, bracket: char, kind: Kind) -> Result<(), ParseError> {
        self.blanks();
        self.depth -= 1;
        match self.rest.strip_prefix(bracket) {
            Some(rest) => self.rest = rest,
            None => return Err(self.error(kind, self.word_len().max(1))),
        }
        Ok(())
    }

    /// Nothing but blanks may follow.
    fn end(&mut self, kind: Kind) -> Result<(), ParseError> {
        self.blanks();
        if self.rest.is_empty() {
            return Ok(());
        }
        Err(self.error(kind, self.word_len().max(1)))
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = byte::skip(self.rest, bytes);
    }

    /// Reads so many bytes.
    fn take(&mut self, bytes: usize) -> &'t str {
        let (taken, rest) = byte::split(self.rest, bytes);
        self.rest = rest;
        taken
    }

    fn blanks(&mut self) {
        self.rest = byte::trim(self.rest);
    }

    /// How many name characters stand here.
    fn word_len(&self) -> usize {
        byte::run(self.rest, byte::NAME)
    }
}
