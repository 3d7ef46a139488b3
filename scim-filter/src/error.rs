//! Why a text is no filter or path, and where.

use std::{fmt, ops::Range};

/// A text that is no filter or path: what was expected, what was found, and at which byte.
///
/// `{}` is one line that may go to a client: of the text it holds at most one short name, never a
/// value. `{:#}` adds the text with the place underlined, for a terminal.
///
/// ```
/// let error = "userName regex \"^a\"".parse::<scim_filter::Filter>().unwrap_err();
/// assert_eq!(error.span(), 9..14);
/// assert_eq!(
///     error.to_string(),
///     "expected an operator (eq, ne, co, sw, ew, gt, ge, lt, le, pr), found `regex` at byte 9"
/// );
/// assert_eq!(
///     format!("{error:#}"),
///     r#"expected an operator (eq, ne, co, sw, ew, gt, ge, lt, le, pr), found `regex` at byte 9
///   |
///   | userName regex "^a"
///   |          ^^^^^"#
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError(Box<Report>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Report {
    kind: ParseErrorKind,
    found: Found,
    span: Range<usize>,
    in_filter: bool,
    /// A part of the text around the span, and the byte it starts at.
    excerpt: (Box<str>, usize),
}

/// What is wrong with a text that is no filter or path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseErrorKind {
    /// It is longer than [`Limits::bytes`](crate::Limits::bytes).
    #[error("longer than {limit} bytes")]
    TooLong {
        /// The limit.
        limit: usize,
    },
    /// It is nested deeper than [`Limits::depth`](field@crate::Limits::depth).
    #[error("nested deeper than {limit}")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
    /// It has more terms than [`Limits::terms`](crate::Limits::terms).
    #[error("more than {limit} terms")]
    TooManyTerms {
        /// The limit.
        limit: usize,
    },
    /// A term was due: a name, a group or a `not`.
    #[error("expected an attribute, `(` or `not`")]
    Term,
    /// An attribute path was due.
    #[error("expected an attribute")]
    Attribute,
    /// The sub-attribute's name after a dot was due.
    #[error("expected a sub-attribute's name")]
    SubAttribute,
    /// A path has more than one dot behind its URN.
    #[error("expected one sub-attribute at most")]
    Nested,
    /// An operator was due.
    #[error("expected an operator (eq, ne, co, sw, ew, gt, ge, lt, le, pr)")]
    Operator,
    /// A literal was due.
    #[error("expected a string in double quotes, a number, `true`, `false` or `null`")]
    Literal,
    /// A string has no end.
    #[error("expected a closing `\"`")]
    Unclosed,
    /// A backslash is followed by nothing that JSON knows, or by half a surrogate pair.
    #[error("expected a JSON escape")]
    Escape,
    /// A string holds a raw control character.
    #[error("expected control characters to be escaped")]
    Control,
    /// A number is no `i64` and no finite `f64`.
    #[error("expected a number within 64 bits")]
    Number,
    /// A group is not closed.
    #[error("expected `)`, `and` or `or`")]
    Group,
    /// A bracket is not closed.
    #[error("expected `]`, `and` or `or`")]
    Bracket,
    /// Something follows a whole filter.
    #[error("expected `and`, `or` or the end")]
    End,
    /// Something follows a whole path.
    #[error("expected the end of the path")]
    PathEnd,
    /// Brackets inside brackets.
    #[error("expected no brackets inside brackets")]
    BracketInBracket,
    /// Brackets behind a sub-attribute.
    #[error("expected the brackets right behind an attribute, not a sub-attribute")]
    BracketAfterSub,
    /// A URN inside brackets, where names are sub-attributes.
    #[error("expected a sub-attribute without URN inside brackets")]
    UrnInBracket,
    /// `…]` is compared, and [`Syntax::value_path_comparison`](crate::Syntax) is off.
    #[error("expected the comparison inside the brackets")]
    ComparedValuePath,
}

/// What stands where the error is, in words that repeat nothing private.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Found {
    Nothing,
    End,
    Name(Box<str>),
    Sign(char),
    Quote,
    Blank,
    Unquoted,
    Text,
}

impl ParseError {
    pub(crate) fn new(
        kind: ParseErrorKind,
        text: &str,
        span: Range<usize>,
        in_filter: bool,
    ) -> Self {
        let found = Found::at(kind, text, &span);
        Self(Box::new(Report { kind, found, excerpt: excerpt(text, &span), span, in_filter }))
    }

    /// What is wrong.
    ///
    /// ```
    /// use scim_filter::{Filter, ParseErrorKind};
    ///
    /// let error = "(title pr".parse::<Filter>().unwrap_err();
    /// assert_eq!(error.kind(), ParseErrorKind::Group);
    /// ```
    #[must_use]
    pub fn kind(&self) -> ParseErrorKind {
        self.0.kind
    }

    /// Which bytes of the text are wrong; empty at its end.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.0.span.clone()
    }

    /// Whether it is a filter that is wrong: always so for [`Filter`](crate::Filter), and for
    /// [`Path`](crate::Path) inside brackets. RFC 7644 Table 9: `invalidFilter`, else `invalidPath`.
    ///
    /// ```
    /// use scim_filter::Path;
    ///
    /// assert!("emails[type eq]".parse::<Path>().unwrap_err().in_filter());
    /// assert!(!"emails/0".parse::<Path>().unwrap_err().in_filter());
    /// ```
    #[must_use]
    pub fn in_filter(&self) -> bool {
        self.0.in_filter
    }
}

impl std::error::Error for ParseError {}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { kind, found, span, excerpt: (text, from), .. } = &*self.0;
        write!(f, "{kind}{found} at byte {}", span.start)?;
        if f.alternate() {
            let before = text.get(..span.start.saturating_sub(*from)).unwrap_or_default();
            let marked = text.get(before.len()..span.end.saturating_sub(*from)).unwrap_or_default();
            let width = marked.chars().count().max(1);
            let shown: String =
                text.chars().map(|c| if c.is_control() { '·' } else { c }).collect();
            write!(f, "\n  |\n  | {shown}\n  | ")?;
            write!(f, "{:indent$}{:^<width$}", "", "", indent = before.chars().count())?;
        }
        Ok(())
    }
}

impl Found {
    fn at(kind: ParseErrorKind, text: &str, span: &Range<usize>) -> Self {
        use ParseErrorKind as K;
        let rest = text.get(span.start..).unwrap_or_default();
        let name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '$' | '-' | '_');
        match (kind, rest.chars().next()) {
            (K::TooLong { .. } | K::TooDeep { .. } | K::TooManyTerms { .. }, _) => Self::Nothing,
            (K::Escape | K::Control | K::Number, _) => Self::Nothing,
            (_, None) => Self::End,
            (K::Literal, Some(c)) if name(c) => Self::Unquoted,
            (_, Some('"')) => Self::Quote,
            (_, Some(' ' | '\t')) => Self::Blank,
            (_, Some(c)) if name(c) => {
                Self::Name(rest.split(|c| !name(c)).next().map(shorten).unwrap_or_default())
            }
            (_, Some(c)) if c.is_ascii_punctuation() => Self::Sign(c),
            _ => Self::Text,
        }
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => Ok(()),
            Self::End => f.write_str(", found the end"),
            Self::Name(name) => write!(f, ", found `{name}`"),
            Self::Sign(c) => write!(f, ", found `{c}`"),
            Self::Quote => f.write_str(", found a string"),
            Self::Blank => f.write_str(", found a blank"),
            Self::Unquoted => f.write_str(", found text without quotes"),
            Self::Text => f.write_str(", found some other character"),
        }
    }
}

/// A name of ASCII characters, cut so that an answer stays short.
fn shorten(name: &str) -> Box<str> {
    match name.get(..32) {
        Some(start) if name.len() > 32 => format!("{start}…").into(),
        _ => name.into(),
    }
}

/// At most 30 bytes before the span and 60 from its start on, cut at characters.
fn excerpt(text: &str, span: &Range<usize>) -> (Box<str>, usize) {
    let from = text.floor_char_boundary(span.start.saturating_sub(30));
    let to = text.ceil_char_boundary(span.start.saturating_add(60));
    (text.get(from..to).unwrap_or_default().into(), from)
}
