//! What single bytes are in the grammar: one look-up a byte is what makes the parser fast.

/// `nameChar`, with the `$` of RFC 7643 §2.1.
pub(super) const NAME: u8 = 1;
/// What a URI holds besides: all of RFC 3986 but brackets, and the comma, which separates lists.
pub(super) const URI: u8 = 2;
/// What ends a run of plain text inside a JSON string.
pub(super) const STRING: u8 = 4;
/// What ends a literal without quotes.
pub(super) const LITERAL: u8 = 8;

const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut b = 0;
    while b < 256 {
        #[expect(clippy::indexing_slicing, reason = "256 bytes, evaluated by the compiler")]
        {
            classes[b] = class(b as u8);
        }
        b += 1;
    }
    classes
};

const fn class(b: u8) -> u8 {
    match b {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' | b'$' => NAME,
        b':' | b'.' | b'/' | b'~' | b'%' | b'+' | b'@' | b'=' | b'&' => URI,
        b'!' | b'*' | b'\'' | b';' | b'?' | b'#' => URI,
        b' ' => LITERAL,
        b'\t' => LITERAL | STRING,
        b'"' => STRING | LITERAL,
        b'\\' | 0..=0x1f => STRING,
        b'(' | b')' | b'[' | b']' => LITERAL,
        _ => 0,
    }
}

/// Whether a byte is of one of the classes.
#[inline]
pub(super) fn is(b: u8, classes: u8) -> bool {
    CLASSES.get(usize::from(b)).is_some_and(|class| class & classes != 0)
}

/// The first byte, if it is of one of the classes.
#[inline]
pub(super) fn starts(i: &str, classes: u8) -> bool {
    i.as_bytes().first().is_some_and(|b| is(*b, classes))
}

/// How many bytes of the classes `i` starts with; all classes but [`STRING`]'s controls are ASCII.
#[inline]
pub(super) fn run(i: &str, classes: u8) -> usize {
    i.bytes().position(|b| !is(b, classes)).unwrap_or(i.len())
}

/// `i` up to the first byte of the classes, and from there on.
#[inline]
pub(super) fn until(i: &str, classes: u8) -> (&str, &str) {
    split(i, i.bytes().position(|b| is(b, classes)).unwrap_or(i.len()))
}

/// `i` without the blanks it starts with, which are forgiven wherever they cannot change the meaning.
#[inline]
pub(super) fn trim(mut i: &str) -> &str {
    while let [b' ' | b'\t', ..] = i.as_bytes() {
        i = skip(i, 1);
    }
    i
}

/// `i` cut at a byte that starts a character; elsewhere all of it, and nothing.
#[inline]
pub(super) fn split(i: &str, at: usize) -> (&str, &str) {
    i.split_at_checked(at).unwrap_or((i, ""))
}

/// What follows the first bytes of `i`.
#[inline]
pub(super) fn skip(i: &str, bytes: usize) -> &str {
    i.get(bytes..).unwrap_or_default()
}
