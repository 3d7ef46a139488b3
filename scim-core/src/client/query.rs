//! What to list, in which order, and how it is asked.

use scim_filter::{AttrPath, Filter, Limits, Literal, Syntax};

/// A question for resources.
///
/// A filter that compares with text of somebody's (a name, an address, a number) goes into the body of a POST to `.search`, because
/// addresses end up in logs. Identifiers, times, and yes and no may stand in an address. A filter that cannot be read counts as
/// somebody's.
///
/// # Examples
///
/// ```
/// use scim_core::{client::Query, filter::build::attr};
///
/// let by_name = attr("name.familyName").eq(r#"O"Neil\"#).filter().unwrap();
/// assert!(Query::from(by_name).is_personal());
/// assert!(!Query::from("meta.lastModified gt \"2026-01-01T00:00:00Z\" and active eq true").is_personal());
/// ```
///
/// Source: RFC 7644 §3.4.2, §3.4.3 and §7.5.2, RFC 9865.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Query {
    pub(super) filter: Option<String>,
    pub(super) sort_by: Option<String>,
    pub(super) descending: bool,
    pub(super) page: Page,
    pub(super) paging: Paging,
    in_url: bool,
}

/// How many resources a page is to have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Page {
    /// As many as the service gives, up to 1,000.
    #[default]
    Large,
    Of(u64),
    /// What the service likes; no parameter is sent.
    Unsaid,
}

/// How the next page is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Paging {
    /// By cursor where the service announced or gave one, else by index.
    #[default]
    Either,
    Index,
    Cursor,
}

impl Query {
    /// All resources.
    pub fn all() -> Self {
        Self::default()
    }

    /// All, without a single parameter: for documents of discovery.
    pub(super) fn whole() -> Self {
        Self { page: Page::Unsaid, ..Self::default() }
    }

    /// Those that a filter selects. [`build::attr`](crate::filter::build::attr) makes filters whose values need no quoting.
    pub fn filtered(filter: impl Into<String>) -> Self {
        Self { filter: Some(filter.into()), ..Self::default() }
    }

    /// In the order of an attribute, smallest first.
    #[must_use]
    pub fn sorted_by(mut self, attribute: impl Into<String>) -> Self {
        self.sort_by = Some(attribute.into());
        self
    }

    /// Largest first.
    #[must_use]
    pub fn descending(mut self) -> Self {
        self.descending = true;
        self
    }

    /// On pages of so many resources, if the service gives that many.
    #[must_use]
    pub fn pages_of(mut self, count: u64) -> Self {
        self.page = Page::Of(count);
        self
    }

    /// On pages by index (RFC 7644 §3.4.2.4), whatever the service announces.
    #[must_use]
    pub fn by_index(mut self) -> Self {
        self.paging = Paging::Index;
        self
    }

    /// On pages by cursor (RFC 9865), whatever the service announces.
    #[must_use]
    pub fn by_cursor(mut self) -> Self {
        self.paging = Paging::Cursor;
        self
    }

    /// With the filter in the address, whatever it says: for a service without `.search`. Logs on the way keep it.
    #[must_use]
    pub fn in_url(mut self) -> Self {
        self.in_url = true;
        self
    }

    /// Whether the filter holds what may be personal data.
    pub fn is_personal(&self) -> bool {
        let Some(filter) = &self.filter else { return false };
        match Filter::parse(filter, &Syntax::TOLERANT, &Limits::default()) {
            Ok(filter) => tells_of_somebody(&filter),
            Err(_) => true,
        }
    }

    pub(super) fn goes_in_body(&self) -> bool {
        !self.in_url && self.is_personal()
    }
}

impl From<Filter> for Query {
    fn from(filter: Filter) -> Self {
        Self::filtered(filter.to_string())
    }
}

impl From<&str> for Query {
    fn from(filter: &str) -> Self {
        Self::filtered(filter)
    }
}

/// Whether any comparison is with text or a number of somebody's.
fn tells_of_somebody(filter: &Filter) -> bool {
    let mut open = vec![(filter, None)];
    while let Some((filter, within)) = open.pop() {
        match filter {
            Filter::And(terms) | Filter::Or(terms) => {
                open.extend(terms.iter().map(|term| (term, within)));
            }
            Filter::Not(term) => open.push((term, within)),
            Filter::ValuePath { attr, filter } => open.push((filter, Some(attr))),
            Filter::Compare { attr, value, .. } => {
                let empty = matches!(value, Literal::Boolean(_) | Literal::Null);
                if !empty && !is_impersonal(within, attr) {
                    return true;
                }
            }
            Filter::Present(_) => {}
        }
    }
    false
}

/// Identifiers that the service made, its times and its kinds; references to others by them.
fn is_impersonal(within: Option<&AttrPath>, attr: &AttrPath) -> bool {
    let lower = |text: &str| text.to_ascii_lowercase();
    let (whole, part) = match within {
        Some(whole) => (whole, Some(lower(attr.name()))),
        None => (attr, attr.sub().map(lower)),
    };
    let is_core = whole.urn().is_none_or(|urn| lower(urn).contains(":scim:schemas:core:"));
    let of_reference = matches!(part.as_deref(), None | Some("value" | "type" | "$ref"));
    is_core
        && match &*lower(whole.name()) {
            "id" | "meta" | "schemas" => within.is_none(),
            "members" | "groups" => of_reference,
            _ => false,
        }
}
