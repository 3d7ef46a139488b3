//! `compValue`: JSON's literals, and text without quotes where the caller allows it.

use smol_str::SmolStrBuilder;

use super::{
    Fault, Parsed, Rules,
    byte::{LITERAL, STRING, skip, until},
};
use crate::{Literal, ParseErrorKind as Kind, Text};

/// `compValue = false / null / true / number / string`.
#[inline]
pub(super) fn comp_value<'a>(rules: &Rules<'_>, i: &'a str) -> Parsed<'a, Literal> {
    match i.strip_prefix('"') {
        Some(inside) => string(inside),
        None => unquoted(rules, i),
    }
}

/// A JSON string, from behind its opening quote.
#[inline]
fn string(inside: &str) -> Parsed<'_, Literal> {
    let (plain, rest) = until(inside, STRING);
    match rest.strip_prefix('"') {
        Some(rest) => Ok((rest, Literal::String(plain.into()))),
        None => escaped(plain, rest),
    }
}

/// The rest of a JSON string that is not all plain text.
fn escaped<'a>(plain: &str, mut rest: &'a str) -> Parsed<'a, Literal> {
    let mut text = SmolStrBuilder::new();
    text.push_str(plain);
    loop {
        match rest.bytes().next() {
            Some(b'"') => return Ok((skip(rest, 1), Literal::String(Text(text.finish())))),
            Some(b'\\') => {
                let (after, c) = escape(rest)?;
                text.push(c);
                let (plain, after) = until(after, STRING);
                text.push_str(plain);
                rest = after;
            }
            Some(_) => return Err(Fault::of(Kind::Control, rest, 1)),
            None => return Err(Fault::of(Kind::Unclosed, rest, 0)),
        }
    }
}

/// One escape, which starts at the backslash `i`.
fn escape(i: &str) -> Parsed<'_, char> {
    let c = match i.as_bytes().get(1) {
        Some(b'"') => '"',
        Some(b'\\') => '\\',
        Some(b'/') => '/',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => return unicode(i),
        _ => return Err(Fault::of(Kind::Escape, i, 2)),
    };
    Ok((skip(i, 2), c))
}

/// `\u` and four digits, or two of them that make a surrogate pair.
fn unicode(i: &str) -> Parsed<'_, char> {
    let unit = |at: usize| {
        let digits = i.get(at..at + 6)?.strip_prefix("\\u")?;
        let hex = digits.bytes().all(|b| b.is_ascii_hexdigit());
        u16::from_str_radix(digits, 16).ok().filter(|_| hex)
    };
    let Some(first) = unit(0) else {
        return Err(Fault::of(Kind::Escape, i, 2));
    };
    let units = [Some(first), if (0xD800..0xDC00).contains(&first) { unit(6) } else { None }];
    match char::decode_utf16(units.into_iter().flatten()).next() {
        Some(Ok(c)) => Ok((skip(i, c.len_utf16() * 6), c)),
        _ => Err(Fault::of(Kind::Escape, i, 6)),
    }
}

/// `true`, `false`, `null`, a number, or bare text.
fn unquoted<'a>(rules: &Rules<'_>, i: &'a str) -> Parsed<'a, Literal> {
    let (token, rest) = until(i, LITERAL);
    let literal = match token {
        "true" => Literal::Boolean(true),
        "false" => Literal::Boolean(false),
        "null" => Literal::Null,
        _ if is_number(token) => {
            number(token).ok_or_else(|| Fault::of(Kind::Number, i, token.len()))?
        }
        _ if rules.syntax.bare_literals && is_bare(token) => Literal::String(token.into()),
        _ => return Err(Fault::of(Kind::Literal, i, token.len())),
    };
    Ok((rest, literal))
}

/// Whether a token can mean nothing but text.
fn is_bare(token: &str) -> bool {
    let taken = ["and", "or", "not"].iter().any(|word| token.eq_ignore_ascii_case(word));
    let text = !token.is_empty() && !token.starts_with('\'') && !token.contains(char::is_control);
    text && !taken
}

/// `number = [ "-" ] int [ frac ] [ exp ]` of RFC 8259 §6.
fn is_number(token: &str) -> bool {
    let digits = |i: &str| i.bytes().position(|b| !b.is_ascii_digit()).unwrap_or(i.len());
    let i = token.strip_prefix('-').unwrap_or(token);
    let int = digits(i);
    if int == 0 || (int > 1 && i.starts_with('0')) {
        return false;
    }
    let mut i = skip(i, int);
    if let Some(frac) = i.strip_prefix('.') {
        let len = digits(frac);
        if len == 0 {
            return false;
        }
        i = skip(frac, len);
    }
    if let Some(exp) = i.strip_prefix(['e', 'E']) {
        let exp = exp.strip_prefix(['+', '-']).unwrap_or(exp);
        return !exp.is_empty() && digits(exp) == exp.len();
    }
    i.is_empty()
}

/// The value of a JSON number: exact, or finite and not `-0.0`. `None` for other text too.
pub(crate) fn number(token: &str) -> Option<Literal> {
    if !is_number(token) {
        return None;
    }
    if token.bytes().any(|b| matches!(b, b'.' | b'e' | b'E')) {
        let value = token.parse::<f64>().ok().filter(|v| v.is_finite())?;
        return Some(Literal::Decimal(if value == 0.0 { 0.0 } else { value }));
    }
    token.parse().ok().map(Literal::Integer)
}
