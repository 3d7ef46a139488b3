//! How far a request may stray from the letter of the RFC: one field for each kind of liberty that identity providers take.
//!
//! A dialect changes what a request *says*, never what the service *does*. It comes with the token, never from `User-Agent`. A new quirk
//! is a field, one `if` where the request is taken apart (`admit` or `patch`), and one line in a profile.

use scim_filter::{Coercion, Syntax};

/// The liberties that a client may take.
///
/// # Examples
///
/// ```
/// use scim_core::Dialect;
///
/// let ours = Dialect { null_removes_all: true, ..Dialect::TOLERANT };
/// assert!(ours.coerce && !Dialect::STRICT.coerce);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "a struct of switches, each with one reader")]
pub struct Dialect {
    /// `"False"` for `false`, `"7"` and `7.0` for `7`, a list of one for a value and a value for a list of one, `"id"` for
    /// `{"value": "id"}` (`idp:T3 T18 T19 T20`). A number is never taken for text.
    pub coerce: bool,
    /// Attributes that no schema knows are dropped instead of refused (`idp:T17`).
    pub ignore_unknown: bool,
    /// A second `primary` in a list becomes false instead of being refused (`idp:T23`).
    pub first_primary_wins: bool,
    /// `schemas` may be missing or hold unknown entries (`idp:T14 T15`).
    pub infer_schemas: bool,
    /// An empty text for an optional attribute means that it has no value (`idp:T16`).
    pub empty_text_is_unset: bool,
    /// Dates, languages and the like must be of the form that the RFC gives (`idp:T24`).
    pub check_formats: bool,
    /// `remove` on a list may carry a `value` that selects elements (`idp:T7`).
    pub remove_selects_by_value: bool,
    /// `remove` with `"value": null` on a list removes all (Keycloak's client).
    pub null_removes_all: bool,
    /// A value path that fits no element makes one from its `eq` terms (`idp:T5`).
    pub create_target: bool,
    /// Read-only attributes inside a value without path are dropped instead of refused (`idp:T11`).
    pub ignore_read_only_in_value: bool,
    /// A PATCH without operations changes nothing instead of being refused (`idp:T26`).
    pub allow_no_operations: bool,
    /// `attributes` wins over `excludedAttributes` where both are given, instead of being refused.
    pub attributes_win: bool,
    /// `.search` takes numbers and lists as text.
    pub search_numbers_as_text: bool,
    /// What an answer to PATCH holds; none: as the resource type says.
    pub patch_answer: Option<PatchAnswer>,
    /// What the filter language takes beyond the RFC (`idp:T33 T34`).
    pub syntax: Syntax,
    /// How literals of filters are fitted to the type of the attribute (`idp:T4`).
    pub coercion: Coercion,
}

/// What a successful PATCH answers (RFC 7644 §3.5.2 allows both).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatchAnswer {
    /// 200 with the resource.
    Body,
    /// 204 without a body, unless the request names `attributes`.
    None,
}

impl Dialect {
    /// The RFC to the letter.
    pub const STRICT: Self = Self {
        coerce: false,
        ignore_unknown: false,
        first_primary_wins: false,
        infer_schemas: false,
        empty_text_is_unset: false,
        check_formats: true,
        remove_selects_by_value: false,
        null_removes_all: false,
        create_target: false,
        ignore_read_only_in_value: false,
        allow_no_operations: false,
        attributes_win: false,
        search_numbers_as_text: false,
        patch_answer: None,
        syntax: Syntax::STRICT,
        coercion: Coercion::STRICT,
    };

    /// Takes what can mean only one thing. The default.
    pub const TOLERANT: Self = Self {
        coerce: true,
        ignore_unknown: true,
        first_primary_wins: true,
        infer_schemas: true,
        empty_text_is_unset: true,
        check_formats: false,
        remove_selects_by_value: true,
        null_removes_all: false,
        create_target: true,
        ignore_read_only_in_value: true,
        allow_no_operations: true,
        attributes_win: true,
        search_numbers_as_text: true,
        patch_answer: None,
        syntax: Syntax::TOLERANT,
        coercion: Coercion::TOLERANT,
    };

    /// Okta: what it sends is within [`Dialect::TOLERANT`].
    pub const OKTA: Self = Self { ..Self::TOLERANT };

    /// Microsoft Entra ID: what it sends is within [`Dialect::TOLERANT`].
    pub const ENTRA: Self = Self { ..Self::TOLERANT };
}

impl Default for Dialect {
    fn default() -> Self {
        Self::TOLERANT
    }
}
