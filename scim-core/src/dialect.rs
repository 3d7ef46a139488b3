//! How far a request may stray from the letter of the RFC: one field for each kind of liberty that identity providers take.
//!
//! A dialect changes what a request *says*, never what the service *does*. It comes with the token, never from `User-Agent`. A new quirk
//! is a field, one `if` where the request is taken apart, and one line in a profile. Where several places obey one field, the `if` is a
//! function here that they call.

use scim_filter::{
    Attribute, BindError, Bound, Coercion, Filter, ParseError, Path, Resolve, Syntax,
};
use serde_json::Value;

use crate::{ResourceType, ScimError};

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
    /// `{"value": "id"}`, `{"value": false}` for `false` (`idp:T3 T18 T19 T20`). A number is never taken for text.
    pub coerce: bool,
    /// Attributes that no schema knows are dropped instead of refused (`idp:T17`).
    pub ignore_unknown: bool,
    /// A second `primary` in a list becomes false instead of being refused (`idp:T23`).
    pub first_primary_wins: bool,
    /// `schemas` may be missing or hold unknown entries (`idp:T14 T15`).
    pub infer_schemas: bool,
    /// An extension that a PUT does not name stays as it is, instead of being cleared (`dom:b-30`).
    pub absent_extensions_stay: bool,
    /// Who accepts `application/json` alone is answered with `application/scim+json`, which such clients look for (`idp:A17`).
    pub json_means_scim: bool,
    /// An empty text means no value, whatever the type of the attribute; and inside a list, empty texts and nulls are left
    /// out (`idp:T16`).
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
    /// `"op": "delete"` is `remove` (`idp:T38`: gateways).
    pub delete_is_remove: bool,
    /// An operation without `op` is `replace` (`idp:T38`).
    pub no_op_is_replace: bool,
    /// `Operations` of a PATCH or a bulk request may be one operation instead of a list
    /// (`idp:T38`).
    pub lone_operation: bool,
    /// A PATCH without `Operations` is one of SCIM 1.1: attributes to add, and elements that go where they say
    /// `"operation": "delete"` (`idp:T38`: OneLogin's sample).
    pub elements_with_operation: bool,
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
        absent_extensions_stay: false,
        json_means_scim: false,
        empty_text_is_unset: false,
        check_formats: true,
        remove_selects_by_value: false,
        null_removes_all: false,
        create_target: false,
        ignore_read_only_in_value: false,
        allow_no_operations: false,
        delete_is_remove: false,
        no_op_is_replace: false,
        lone_operation: false,
        elements_with_operation: false,
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
        absent_extensions_stay: true,
        json_means_scim: true,
        empty_text_is_unset: true,
        check_formats: false,
        remove_selects_by_value: true,
        null_removes_all: false,
        create_target: true,
        ignore_read_only_in_value: true,
        allow_no_operations: true,
        delete_is_remove: false,
        no_op_is_replace: false,
        lone_operation: true,
        elements_with_operation: false,
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

    /// OneLogin: connectors of its own making still send members as SCIM 1.1 has them.
    pub const ONELOGIN: Self = Self { elements_with_operation: true, ..Self::TOLERANT };

    /// Keycloak's clients, which empty a group by `"value": null`.
    pub const KEYCLOAK: Self = Self { null_removes_all: true, ..Self::TOLERANT };

    /// Gateways and programs of one's own: each form of an operation that was ever seen (`idp:T38`).
    pub const GATEWAY: Self = Self {
        delete_is_remove: true,
        no_op_is_replace: true,
        elements_with_operation: true,
        ..Self::TOLERANT
    };
}

/// The readers of the fields that more than one place obeys: each is read here and nowhere else.
impl Dialect {
    /// What a value of another type means for its attribute, where that may be asked.
    pub(crate) fn coerced<T>(&self, meaning: impl FnOnce() -> Option<T>) -> Option<T> {
        self.coerce.then(meaning).flatten()
    }

    /// Lets pass what no schema knows, or refuses it.
    pub(crate) fn unknown(&self, refusal: impl FnOnce() -> ScimError) -> Result<(), ScimError> {
        if self.ignore_unknown { Ok(()) } else { Err(refusal()) }
    }

    /// Lets pass what only the service writes, inside a value, or refuses it.
    pub(crate) fn read_only_in_value(
        &self,
        refusal: impl FnOnce() -> ScimError,
    ) -> Result<(), ScimError> {
        if self.ignore_read_only_in_value { Ok(()) } else { Err(refusal()) }
    }

    /// Checks what a request lists as `schemas`, where it must.
    pub(crate) fn schemas(
        &self,
        check: impl FnOnce() -> Result<(), ScimError>,
    ) -> Result<(), ScimError> {
        if self.infer_schemas { Ok(()) } else { check() }
    }

    /// Checks that a message lists its schema, where it must.
    pub(crate) fn message(&self, schemas: Option<&Value>, urn: &str) -> Result<(), ScimError> {
        let mut listed = schemas.and_then(Value::as_array).into_iter().flatten();
        let is_own = |item: &Value| item.as_str().is_some_and(|own| own.eq_ignore_ascii_case(urn));
        self.schemas(|| match listed.any(is_own) {
            true => Ok(()),
            false => Err(ScimError::invalid_syntax(format!("schemas must hold `{urn}`"))),
        })
    }

    /// The operations of a message; none where it lists none.
    pub(crate) fn listed(&self, operations: Value) -> Option<Vec<Value>> {
        match operations {
            Value::Array(operations) => Some(operations),
            only @ Value::Object(_) if self.lone_operation => Some(vec![only]),
            _ => None,
        }
    }

    /// The extensions that a PUT replaces: those that it names, or all.
    pub(crate) fn replaced_extensions(&self, named: Vec<String>, of: &ResourceType) -> Vec<String> {
        match self.absent_extensions_stay {
            true => named,
            false => of.extensions().iter().map(|it| it.schema.id.clone()).collect(),
        }
    }

    /// Whether an answer may be called plain JSON.
    pub(crate) fn answers_json(&self) -> bool {
        !self.json_means_scim
    }

    /// Whether a value says that there is none (RFC 7643 §2.5).
    pub(crate) fn is_unset(&self, value: &Value) -> bool {
        value.is_null() || self.leaves_out(value)
    }

    /// Whether an element of a list counts as if it had not been sent.
    pub(crate) fn leaves_out(&self, element: &Value) -> bool {
        self.empty_text_is_unset && (element.is_null() || element.as_str() == Some(""))
    }

    /// Whether a text has its form, or none is asked of it.
    pub(crate) fn has_form(&self, keeps: impl FnOnce() -> bool) -> bool {
        !self.check_formats || keeps()
    }

    /// Reads a filter.
    pub(crate) fn filter(
        &self,
        text: &str,
        limits: &scim_filter::Limits,
    ) -> Result<Filter, ParseError> {
        Filter::parse(text, &self.syntax, limits)
    }

    /// Reads the path of a PATCH.
    pub(crate) fn path(&self, text: &str) -> Result<Path, ParseError> {
        Path::parse(text, &self.syntax, &scim_filter::Limits::default())
    }

    /// Gives a filter a meaning.
    pub(crate) fn bind(&self, filter: &Filter, of: &dyn Resolve) -> Result<Bound, ScimError> {
        self.bound(|coercion| filter.bind(of, coercion))
    }

    /// Gives a filter over one element of a list a meaning.
    pub(crate) fn bind_element(
        &self,
        filter: &Filter,
        list: &Attribute,
        of: &dyn Resolve,
    ) -> Result<Bound, ScimError> {
        self.bound(|coercion| filter.bind_element(list, of, coercion))
    }

    fn bound(
        &self,
        bind: impl FnOnce(&Coercion) -> Result<Bound, BindError>,
    ) -> Result<Bound, ScimError> {
        bind(&self.coercion).map_err(|error| ScimError::invalid_filter(error.to_string()))
    }
}

impl Default for Dialect {
    fn default() -> Self {
        Self::TOLERANT
    }
}
