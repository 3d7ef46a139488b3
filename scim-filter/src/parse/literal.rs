//! `compValue`: JSON's literals, and text without quotes where the caller allows it.

use super::{
    Parser,
    byte::{LITERAL, STRING, skip, until},
};
use crate::{Literal, ParseError, ParseErrorKind as Kind};

impl Parser<'_> {
    /// `compValue = false / null / true / number / string`.
    #[inline]
    pub(super) fn comp_value(&mut self) -> Result<Literal, ParseError> {
        match self.rest.strip_prefix('"') {
            Some(inside) => self.string(inside),
            None => self.unquoted(),
        }
    }

    /// A JSON string, from behind its opening quote.
    #[inline]
    fn string(&mut self, inside: &str) -> Result<Literal, ParseError> {
        let (plain, rest) = until(inside, STRING);
        if rest.starts_with('"') {
            self.skip(plain.len() + 2);
            return Ok(Literal::String(plain.into()));
        }
        self.skip(plain.len() + 1);
        self.escaped(plain).map(Literal::from)
    }

    /// The rest of a JSON string that is not all `plain`.
    fn escaped(&mut self, plain: &str) -> Result<String, ParseError> {
        let mut text = String::with_capacity(plain.len() + 16);
        text.push_str(plain);
        loop {
            match self.rest.bytes().next() {
                Some(b'"') => {
                    self.skip(1);
                    return Ok(text);
                }
                Some(b'\\') => text.push(self.escape()?),
                Some(_) => return Err(self.error(Kind::Control, 1)),
                None => return Err(self.error(Kind::Unclosed, 0)),
            }
            let plain = until(self.rest, STRING).0.len();
            text.push_str(self.take(plain));
        }
    }

    /// One escape, which starts at the backslash that stands here.
    fn escape(&mut self) -> Result<char, ParseError> {
        let c = match self.rest.as_bytes().get(1) {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            _ => return Err(self.error(Kind::Escape, 2)),
        };
        self.skip(2);
        Ok(c)
    }

    /// `\u` and four digits, or two of them that make a surrogate pair.
    fn unicode(&mut self) -> Result<char, ParseError> {
        let Some(first) = unit(self.rest, 0) else {
            return Err(self.error(Kind::Escape, 2));
        };
        let high = (0xD800..0xDC00).contains(&first);
        let units = [Some(first), if high { unit(self.rest, 6) } else { None }];
        match char::decode_utf16(units.into_iter().flatten()).next() {
            Some(Ok(c)) => {
                self.skip(c.len_utf16() * 6);
                Ok(c)
            }
            _ => Err(self.error(Kind::Escape, 6)),
        }
    }

    /// `true`, `false`, `null`, a number, or bare text.
    fn unquoted(&mut self) -> Result<Literal, ParseError> {
        let (token, rest) = until(self.rest, LITERAL);
        let literal = match token {
            "true" => Literal::Boolean(true),
            "false" => Literal::Boolean(false),
            "null" => Literal::Null,
            _ if is_number(token) => {
                number(token).ok_or_else(|| self.error(Kind::Number, token.len()))?
            }
            _ if self.syntax.bare_literals && is_bare(token) => Literal::String(token.into()),
            _ => return Err(self.error(Kind::Literal, token.len())),
        };
        self.rest = rest;
        Ok(literal)
    }
}

/// The four digits of the `\u` at byte `at`.
fn unit(i: &str, at: usize) -> Option<u16> {
    let digits = i.get(at..at + 6)?.strip_prefix("\\u")?;
    let hex = digits.bytes().all(|b| b.is_ascii_hexdigit());
    u16::from_str_radix(digits, 16).ok().filter(|_| hex)
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
