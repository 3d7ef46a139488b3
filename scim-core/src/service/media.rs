//! Media types: what a body may be, and what an answer is.

use http::{HeaderMap, header};

use crate::ScimError;

/// The media type of every body (RFC 7644 §8.1).
pub const MEDIA_TYPE: &str = "application/scim+json";
/// The one that older clients ask for.
const JSON: &str = "application/json";

/// The media type of an answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Media {
    #[default]
    Scim,
    /// Only for those who like it better.
    Json,
}

impl Media {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Scim => MEDIA_TYPE,
            Self::Json => JSON,
        }
    }

    /// What the client takes, by the weights that it gives (RFC 9110 §12.5.1, `idp:T30`).
    pub(super) fn accepted(headers: &HeaderMap) -> Result<Self, ScimError> {
        let lines = headers.get_all(header::ACCEPT).into_iter();
        let items = lines.filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(','));
        let ranges: Vec<Range<'_>> = items.filter_map(Range::read).collect();
        if ranges.is_empty() {
            return Ok(Self::Scim);
        }
        let (scim, json) = (weight(&ranges, MEDIA_TYPE), weight(&ranges, JSON));
        match scim.max(json) {
            0 => Err(ScimError::not_acceptable(
                "answers are application/scim+json or application/json",
            )),
            _ if json > scim => Ok(Self::Json),
            _ => Ok(Self::Scim),
        }
    }
}

/// One entry of an `Accept`.
struct Range<'a> {
    name: &'a str,
    /// In thousandths.
    weight: u32,
}

impl<'a> Range<'a> {
    fn read(item: &'a str) -> Option<Self> {
        let mut parts = item.split(';').map(str::trim);
        let name = parts.next().filter(|name| !name.is_empty())?;
        let weight = parts.find_map(|it| it.strip_prefix(['q', 'Q'])?.trim().strip_prefix('='));
        let weight = weight.map_or(1_000, thousandths);
        Some(Self { name, weight })
    }

    /// How closely it names a media type; none: not at all.
    fn closeness(&self, media: &str) -> Option<u8> {
        match self.name {
            name if name.eq_ignore_ascii_case(media) => Some(2),
            name if name.eq_ignore_ascii_case("application/*") => Some(1),
            "*/*" => Some(0),
            _ => None,
        }
    }
}

/// The weight that the closest range gives a media type.
fn weight(ranges: &[Range<'_>], media: &str) -> u32 {
    let closeness = ranges.iter().filter_map(|range| Some((range.closeness(media)?, range.weight)));
    closeness.max().map_or(0, |(_, weight)| weight)
}

/// A weight such as `0.5`. One that is none counts as 1.
fn thousandths(text: &str) -> u32 {
    let weight = text.trim().parse::<f32>().ok().filter(|it| (0.0..=1.0).contains(it));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 1000")]
    weight.map_or(1_000, |weight| (weight * 1_000.0) as u32)
}

/// JSON under either name, with any parameters, or without a name (`idp:T29`).
pub(super) fn check_body(headers: &HeaderMap) -> Result<(), ScimError> {
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return Ok(()) };
    let essence = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    match essence.eq_ignore_ascii_case(MEDIA_TYPE) || essence.eq_ignore_ascii_case(JSON) {
        true => Ok(()),
        false => Err(ScimError::unsupported_media_type(
            "bodies are taken as application/scim+json or application/json",
        )),
    }
}
