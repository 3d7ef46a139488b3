//! The forms of texts: identifiers, base64, and what a strict dialect asks for beyond.

use std::fmt::Display;

use scim_filter::{Case, Type, base64, is_bidi_control, is_invisible};

use crate::{
    ScimError,
    schema::{Attribute, Form},
};

/// The longest name or external id, in bytes: what every backend can index.
const IDENTIFIER_BYTES: usize = 256;

/// What a refusal says that a value must be.
pub(super) fn expected(attribute: &Attribute) -> &'static str {
    match (attribute.kind, attribute.form) {
        (Type::Boolean, _) => "true or false",
        (Type::Integer, _) => "a whole number of 64 bits",
        (Type::Decimal, _) => "a number",
        (Type::DateTime, _) => "a date and time like 2026-11-21T08:00:00Z",
        (Type::Binary, _) => "base64",
        (Type::Complex, _) => "a JSON object",
        (Type::Reference, _) => "a URI",
        (_, Form::Country) => "a country like `US`",
        (_, Form::Locale) => "a locale like `en-US`",
        (_, Form::Languages) => "languages like `en-US` or `da, en-GB;q=0.8`",
        (_, Form::TimeZone) => "a time zone like `Europe/Copenhagen`",
        (_, Form::Any) => "text",
    }
}

/// The refusal of an empty text where there must be one.
pub(crate) fn empty(place: &dyn Display) -> ScimError {
    ScimError::invalid_value(format!("{place} must not be empty"))
}

/// A name that other systems key on: bounded, and free of characters that nobody sees (`sec:J-04 J-07`).
pub(super) fn check_identifier(
    text: &str,
    attribute: &Attribute,
    place: &dyn Display,
) -> Result<(), ScimError> {
    if text.is_empty() && attribute.required {
        return Err(empty(place));
    }
    if !text.is_empty() && attribute.case.is_blank(text) {
        return Err(ScimError::invalid_value(format!("{place} must not be blank")));
    }
    if text.len() > IDENTIFIER_BYTES {
        return Err(ScimError::invalid_value(format!(
            "{place} is longer than {IDENTIFIER_BYTES} bytes"
        )));
    }
    let is_hidden = |c: &char| match attribute.case {
        // Emoji and some scripts need them, and the key of a label does without.
        Case::Label => is_bidi_control(*c),
        _ => is_invisible(*c),
    };
    match text.chars().find(|c| breaks_line(*c) || is_hidden(c)) {
        Some(c) => Err(ScimError::invalid_value(format!(
            "{place} must not hold the character U+{:04X}",
            u32::from(c)
        ))),
        None => Ok(()),
    }
}

/// Controls, and the separators of lines and paragraphs.
fn breaks_line(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// Base64 of the standard alphabet, in one line, with or without padding (RFC 7643 §2.3.6).
pub(super) fn is_plain_base64(text: &str) -> bool {
    let is_of_mail = |c: char| c.is_ascii_whitespace() || matches!(c, '-' | '_');
    !text.contains(is_of_mail) && base64(text).is_some()
}

/// The forms that the RFC gives and real clients do not keep (`idp:T24`).
pub(super) fn fits(attribute: &Attribute, text: &str) -> bool {
    match (attribute.kind, attribute.form) {
        (Type::Reference, _) => is_uri(text),
        (_, Form::Country) => text.len() == 2 && text.chars().all(|c| c.is_ascii_uppercase()),
        (_, Form::Locale) => is_tag(text, &['-', '_']),
        (_, Form::Languages) => text.split(',').all(|range| is_range(range.trim())),
        (_, Form::TimeZone) => is_zone(text),
        (_, Form::Any) => true,
    }
}

/// An absolute or a relative URI (RFC 3986).
fn is_uri(text: &str) -> bool {
    let base = url::Url::parse("http://base/").ok();
    let is_whole = url::Url::options().base_url(base.as_ref()).parse(text).is_ok();
    is_whole && !text.contains(|c: char| c.is_whitespace() || c.is_control())
}

/// Parts of letters and digits, the first of letters alone.
fn is_tag(text: &str, between: &[char]) -> bool {
    let is_part = |part: &str| {
        (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.split(between).all(is_part)
}

/// A language tag or `*`, perhaps with a weight.
fn is_range(text: &str) -> bool {
    let (tag, weight) = text.split_once(';').unwrap_or((text, "q=1"));
    let weight = weight.trim().strip_prefix("q=").map(str::parse::<f32>);
    let is_weight = weight.is_some_and(|it| it.is_ok_and(|it| (0.0..=1.0).contains(&it)));
    is_weight && (tag.trim() == "*" || is_tag(tag.trim(), &['-']))
}

fn is_zone(text: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty()
            && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+'))
    };
    text.split('/').all(is_part)
}
