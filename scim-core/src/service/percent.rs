//! Percent-encoding (RFC 3986 §2.1), read to the letter: a text that a lenient reader would mend
//! is refused, so that no two readers on the way see two requests.

use percent_encoding::percent_decode_str;

/// The text that is encoded; none for a `%` without two hexadecimal digits and for bytes that are
/// not UTF-8.
pub(super) fn decoded(text: &str) -> Option<String> {
    let is_digit = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_hexdigit());
    let is_escape = |rest: &str| {
        let mut bytes = rest.bytes();
        is_digit(bytes.next()) && is_digit(bytes.next())
    };
    if !text.split('%').skip(1).all(is_escape) {
        return None;
    }
    percent_decode_str(text).decode_utf8().ok().map(|text| text.into_owned())
}
