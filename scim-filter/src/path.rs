//! Attribute paths and PATCH paths as values that print what parses back to them.

use std::{fmt, str::FromStr};

use smol_str::SmolStr;

use crate::{Filter, Limits, ParseError, Syntax, literal::small, parse};

/// What a client names: `userName`, `name.familyName`, or either behind a schema's URN.
///
/// `[URI ":"] ATTRNAME ["." ATTRNAME]`, the URN split off at the last colon, so that the dot in `2.0`
/// is never taken for a sub-attribute. Letter case is kept and means nothing: [`PartialEq`] compares
/// text, so look names up through [`Resolve`](crate::Resolve).
///
/// ```
/// use scim_filter::AttrPath;
///
/// let path: AttrPath =
///     "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value".parse()?;
/// assert_eq!(path.urn(), Some("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"));
/// assert_eq!((path.name(), path.sub()), ("manager", Some("value")));
///
/// // A schema's URN alone reads as a path too; `qualified` is the text to look it up by.
/// let whole: AttrPath = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User".parse()?;
/// assert_eq!(whole.name(), "User");
/// assert_eq!(whole.qualified(), "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User");
/// # Ok::<(), scim_filter::ParseError>(())
/// ```
///
/// RFC 7644 §3.10 and Figure 1.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttrPath {
    /// Up to 23 bytes need no allocation.
    text: SmolStr,
    /// Where the name starts: 0, or one past the last colon.
    name: u32,
    /// Where the name ends: the text's length, or the dot.
    end: u32,
}

impl AttrPath {
    /// Reads an attribute path; blanks around it are forgiven.
    ///
    /// # Errors
    /// [`ParseError`] where the text is no path, or longer than [`Limits::default`] allows.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        parse::attr_path(text, &Limits::default())
    }

    /// The URN (any URI) in front of the name, without its last colon.
    #[must_use]
    pub fn urn(&self) -> Option<&str> {
        self.text.get(..self.name.checked_sub(1)? as usize)
    }

    /// The attribute's name as the client wrote it.
    #[must_use]
    pub fn name(&self) -> &str {
        self.text.get(self.name as usize..self.end as usize).unwrap_or_default()
    }

    /// The sub-attribute's name as the client wrote it.
    #[must_use]
    pub fn sub(&self) -> Option<&str> {
        self.text.get(self.end as usize + 1..)
    }

    /// All but the sub-attribute: `urn:name`, or the name alone.
    ///
    /// A path that is nothing but a schema's URN has it split in the wrong place; this is the text to
    /// compare with the URNs one knows.
    #[must_use]
    pub fn qualified(&self) -> &str {
        self.text.get(..self.end as usize).unwrap_or_default()
    }

    /// The whole text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The same path without its sub-attribute.
    #[must_use]
    pub fn parent(&self) -> Self {
        Self { text: self.qualified().into(), ..*self }
    }

    /// Splits the value of `attributes`, `excludedAttributes` or the like at its commas.
    ///
    /// Blanks are trimmed and empty items dropped; commas inside brackets or quotes do not split, for
    /// Entra ID puts value paths there. Read the items with [`Path::parse`] and ignore their filter.
    ///
    /// ```
    /// use scim_filter::AttrPath;
    ///
    /// let list = r#"userName, emails[type eq "a,b"], ,Name.GivenName"#;
    /// let items: Vec<_> = AttrPath::list(list).collect();
    /// assert_eq!(items, ["userName", r#"emails[type eq "a,b"]"#, "Name.GivenName"]);
    /// ```
    pub fn list(text: &str) -> impl Iterator<Item = &str> {
        let (mut bracket, mut quote, mut escape) = (false, false, false);
        text.split(move |c| {
            let escaped = escape;
            escape = quote && c == '\\' && !escaped;
            match c {
                '"' if bracket && !escaped => quote = !quote,
                '[' if !quote => bracket = true,
                ']' if !quote => bracket = false,
                _ => return c == ',' && !bracket,
            }
            false
        })
        .map(str::trim)
        .filter(|item| !item.is_empty())
    }

    /// `text` was checked against the grammar; `name` and `end` are offsets the check found, which
    /// [`Limits::MAX_BYTES`] keeps within 32 bits.
    pub(crate) fn checked(text: &str, name: usize, end: usize) -> Self {
        Self { text: small(text), name: name as u32, end: end as u32 }
    }
}

impl fmt::Debug for AttrPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AttrPath({})", self.text)
    }
}

impl fmt::Display for AttrPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for AttrPath {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse(text)
    }
}

/// What a PATCH operation points at: an attribute, or elements of it, or a part of these.
///
/// `attrPath / valuePath ["." ATTRNAME] / attrExp` (RFC 7644 Figure 7 with erratum 7122); the last form
/// picks values of a simple multi-valued attribute, and `schemas eq "urn:x"` reads as
/// `schemas[value eq "urn:x"]`. No index, JSON pointer or wildcard is a path.
///
/// ```
/// use scim_filter::{Limits, Path, Syntax};
///
/// let path = Path::parse(r#"emails[type eq "work"].value"#, &Syntax::STRICT, &Limits::default())?;
/// assert_eq!(path.attr().as_str(), "emails");
/// assert_eq!(path.filter().unwrap().to_string(), r#"type eq "work""#);
/// assert_eq!(path.sub(), Some("value"));
/// # Ok::<(), scim_filter::ParseError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Path {
    attr: AttrPath,
    elements: Option<(Filter, Option<SmolStr>)>,
}

impl Path {
    /// Reads the `path` of a PATCH operation.
    ///
    /// # Errors
    /// [`ParseError`]; [`ParseError::in_filter`] tells a bad bracket (`invalidFilter`) from a bad path
    /// (`invalidPath`).
    pub fn parse(text: &str, syntax: &Syntax, limits: &Limits) -> Result<Self, ParseError> {
        parse::path(text, syntax, limits)
    }

    /// The attribute; where no filter follows, `attr().sub()` is the sub-attribute meant.
    #[must_use]
    pub fn attr(&self) -> &AttrPath {
        &self.attr
    }

    /// Which elements are meant, over sub-attributes of [`attr`](Self::attr).
    #[must_use]
    pub fn filter(&self) -> Option<&Filter> {
        self.elements.as_ref().map(|(filter, _)| filter)
    }

    /// Which part of each chosen element is meant: the name after `]`.
    #[must_use]
    pub fn sub(&self) -> Option<&str> {
        self.elements.as_ref()?.1.as_deref()
    }

    pub(crate) fn elements(attr: AttrPath, filter: Filter, sub: Option<&str>) -> Self {
        Self { attr, elements: Some((filter, sub.map(small))) }
    }
}

impl From<AttrPath> for Path {
    fn from(attr: AttrPath) -> Self {
        Self { attr, elements: None }
    }
}

impl FromStr for Path {
    type Err = ParseError;

    /// [`Path::parse`] in [`Syntax::STRICT`] with [`Limits::default`].
    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse(text, &Syntax::STRICT, &Limits::default())
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.attr)?;
        if let Some((filter, sub)) = &self.elements {
            write!(f, "[{filter}]")?;
            if let Some(sub) = sub {
                write!(f, ".{sub}")?;
            }
        }
        Ok(())
    }
}
