//! The grammar of RFC 7644 Figures 1 and 7, one function a production, with the budgets.
//!
//! Invariant: functions call themselves only through groups and brackets, which count depth
//! before they do, so the stack used is bounded by [`Limits::MAX_DEPTH`] whatever the text is.

mod byte;
mod filter;
mod literal;
mod path;

use std::cell::Cell;

pub(crate) use literal::number;
use nom::IResult;

use crate::{AttrPath, Filter, Limits, ParseError, ParseErrorKind, Path, Syntax};

/// Reads a whole text as a filter.
pub(crate) fn filter(text: &str, syntax: &Syntax, limits: &Limits) -> Result<Filter, ParseError> {
    whole(text, limits, true, |text| {
        let rules = Rules::new(syntax, limits);
        let (rest, filter) = filter::filter(&rules, Place::Top, text)?;
        end(rest, filter, ParseErrorKind::End)
    })
}

/// Reads a whole text as the path of a PATCH operation.
pub(crate) fn path(text: &str, syntax: &Syntax, limits: &Limits) -> Result<Path, ParseError> {
    whole(text, limits, false, |text| {
        let rules = Rules::new(syntax, limits);
        let (rest, path) = filter::path(&rules, text)?;
        end(rest, path, ParseErrorKind::PathEnd)
    })
}

/// Reads a whole text as an attribute path.
pub(crate) fn attr_path(text: &str, limits: &Limits) -> Result<AttrPath, ParseError> {
    whole(text, limits, false, |text| {
        let (rest, path) = path::attr_path(byte::trim(text))?;
        end(rest, path.into(), ParseErrorKind::PathEnd)
    })
}

type Parsed<'a, T> = IResult<&'a str, T, Fault>;

/// An error while parsing: places are counted in bytes left, which needs no look at the whole text.
#[derive(Debug, Clone, Copy)]
struct Fault {
    kind: ParseErrorKind,
    left: usize,
    len: usize,
    in_filter: bool,
}

impl Fault {
    /// The `len` bytes at the start of `at` are not what `kind` says.
    #[cold]
    fn of(kind: ParseErrorKind, at: &str, len: usize) -> nom::Err<Self> {
        nom::Err::Failure(Self { kind, left: at.len(), len, in_filter: false })
    }
}

impl nom::error::ParseError<&str> for Fault {
    fn from_error_kind(at: &str, _: nom::error::ErrorKind) -> Self {
        Self { kind: ParseErrorKind::Term, left: at.len(), len: 0, in_filter: false }
    }

    fn append(_: &str, _: nom::error::ErrorKind, other: Self) -> Self {
        other
    }
}

/// What holds for the whole of one text.
struct Rules<'l> {
    syntax: &'l Syntax,
    limits: &'l Limits,
    depth: Cell<usize>,
    terms: Cell<usize>,
}

impl<'l> Rules<'l> {
    fn new(syntax: &'l Syntax, limits: &'l Limits) -> Self {
        Self { syntax, limits, depth: Cell::new(0), terms: Cell::new(0) }
    }

    /// Counts a term that starts at `at`.
    #[inline]
    fn term(&self, at: &str) -> Result<(), nom::Err<Fault>> {
        let terms = self.terms.get();
        if terms >= self.limits.terms {
            return Err(Fault::of(
                ParseErrorKind::TooManyTerms { limit: self.limits.terms },
                at,
                0,
            ));
        }
        self.terms.set(terms + 1);
        Ok(())
    }

    /// Counts an opening bracket, which stands at `at`.
    #[inline]
    fn enter(&self, at: &str) -> Result<(), nom::Err<Fault>> {
        let (depth, limit) = (self.depth.get(), self.limits.max_depth());
        if depth >= limit {
            return Err(Fault::of(ParseErrorKind::TooDeep { limit }, at, 1));
        }
        self.depth.set(depth + 1);
        Ok(())
    }

    /// Counts a closing bracket.
    fn leave(&self) {
        self.depth.set(self.depth.get() - 1);
    }
}

/// Whether a term stands inside brackets, where paths are sub-attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Top,
    Brackets,
}

/// Nothing but blanks may follow.
fn end<T>(rest: &str, value: T, kind: ParseErrorKind) -> Result<T, nom::Err<Fault>> {
    let rest = byte::trim(rest);
    if rest.is_empty() {
        return Ok(value);
    }
    Err(Fault::of(kind, rest, byte::run(rest, byte::NAME).max(1)))
}

/// Checks the length, parses, and turns a fault into an error that knows the text.
fn whole<'a, T>(
    text: &'a str,
    limits: &Limits,
    in_filter: bool,
    parse: impl FnOnce(&'a str) -> Result<T, nom::Err<Fault>>,
) -> Result<T, ParseError> {
    if text.len() > limits.max_bytes() {
        let kind = ParseErrorKind::TooLong { limit: limits.max_bytes() };
        let end = text.len();
        return Err(ParseError::new(kind, text, limits.max_bytes()..end, in_filter));
    }
    parse(text).map_err(|error| {
        let fault = match error {
            nom::Err::Error(fault) | nom::Err::Failure(fault) => fault,
            nom::Err::Incomplete(_) => {
                Fault { kind: ParseErrorKind::Term, left: 0, len: 0, in_filter }
            }
        };
        let start = text.len() - fault.left;
        let end = text.ceil_char_boundary((start + fault.len).min(text.len()));
        ParseError::new(fault.kind, text, start..end, in_filter || fault.in_filter)
    })
}
