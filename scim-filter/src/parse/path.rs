//! `attrPath = [URI ":"] ATTRNAME *1("." ATTRNAME)`.

use super::{Fault, Parsed};
use crate::{AttrPath, ParseErrorKind};

/// An attribute path, its place in the text not yet judged.
pub(super) fn attr_path(i: &str) -> Parsed<'_, AttrPath> {
    let (rest, (text, name, end)) = attr_path_text(i)?;
    Ok((rest, AttrPath::checked(text, name, end)))
}

/// The text of an attribute path, where its name starts and where it ends.
pub(super) fn attr_path_text(i: &str) -> Parsed<'_, (&str, usize, usize)> {
    let mut name = 0;
    let mut dot = None;
    let mut wrong = None;
    let mut len = i.len();
    for (n, b) in i.bytes().enumerate() {
        match b {
            _ if is_name(b) => {}
            b':' => (name, dot, wrong) = (n + 1, None, None),
            b'.' if dot.is_none() => dot = Some(n),
            b'.' => wrong = wrong.or(Some((n, ParseErrorKind::Nested))),
            _ if is_uri(b) => wrong = wrong.or(Some((n, ParseErrorKind::Attribute))),
            _ => {
                len = n;
                break;
            }
        }
    }
    let (text, rest) = i.split_at(len);
    if let Some((n, kind)) = wrong {
        return Err(Fault::of(kind, i.get(n..).unwrap_or_default(), 1));
    }
    let end = dot.unwrap_or(len);
    part(text, name, end, ParseErrorKind::Attribute, i)?;
    if name > 0 && !text.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return Err(Fault::of(ParseErrorKind::Attribute, i, 1));
    }
    if dot.is_some() {
        part(text, end + 1, len, ParseErrorKind::SubAttribute, i)?;
    }
    Ok((rest, (text, name, end)))
}

/// `ATTRNAME`: a letter, or `$` and a letter (erratum 8924), then name characters.
pub(super) fn attr_name(i: &str, kind: ParseErrorKind) -> Parsed<'_, &str> {
    let len = word_len(i);
    part(i, 0, len, kind, i)?;
    Ok((i.get(len..).unwrap_or_default(), i.get(..len).unwrap_or_default()))
}

/// How many name characters `i` starts with.
pub(super) fn word_len(i: &str) -> usize {
    i.bytes().position(|b| !is_name(b)).unwrap_or(i.len())
}

/// Checks that `text[from..to]`, which holds only name characters, starts as a name does.
fn part(
    text: &str,
    from: usize,
    to: usize,
    kind: ParseErrorKind,
    i: &str,
) -> Result<(), nom::Err<Fault>> {
    let name = text.as_bytes().get(from..to).unwrap_or_default();
    match name {
        [b'a'..=b'z' | b'A'..=b'Z', ..] | [b'$', b'a'..=b'z' | b'A'..=b'Z', ..] => Ok(()),
        _ => {
            let at = i.get(from..).unwrap_or_default();
            Err(Fault::of(kind, at, name.len().max(usize::from(!at.is_empty()))))
        }
    }
}

/// `nameChar`, with the `$` of RFC 7643 §2.1.
fn is_name(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'$')
}

/// What a URI holds besides name characters, `:` and `.`; without brackets and the comma of lists.
fn is_uri(b: u8) -> bool {
    matches!(
        b,
        b'/' | b'~' | b'%' | b'+' | b'@' | b'=' | b'&' | b'!' | b'*' | b'\'' | b';' | b'?' | b'#'
    )
}
