//! Which attributes are kept beside the documents, so that filters are decided by the database, and how.
//!
//! The columns hold folded keys written by [`Keys`]; the database itself never folds.

use scim_core::{
    ASSIGNED, Object,
    filter::{
        Attribute, Bound, Case, Location, Op, Type,
        sql::{Column, Columns, Database, Fragment, Holds, render},
    },
    store::{EDGES, Part},
};

/// What is kept of the documents.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Keys {
    pub(crate) user_name: Option<String>,
    pub(crate) external_id: Option<String>,
    pub(crate) display_name: Option<String>,
    pub(crate) active: Option<bool>,
    /// By which views part what one caller sees from what another does.
    pub(crate) owner: Option<String>,
    /// One an element, with or without a value.
    pub(crate) emails: Vec<Option<String>>,
}

impl Keys {
    pub(crate) fn of(sent: &Object, assigned: &Object) -> Self {
        let owner = Location::new("owner").in_extension(ASSIGNED);
        let text = |name: &str, case: Case| Some(case.key(sent.top(name)?.as_str()?).into_owned());
        let emails = sent.top("emails").and_then(|emails| emails.as_array());
        let email = |email: &serde_json::Value| {
            Some(Case::Folded.key(email.get("value")?.as_str()?).into_owned())
        };
        Self {
            user_name: text("userName", Case::Name),
            external_id: text("externalId", Case::Exact),
            display_name: text("displayName", Case::Folded),
            active: sent.top("active").and_then(|active| active.as_bool()),
            owner: assigned.text(&owner).map(str::to_owned),
            emails: emails.into_iter().flatten().map(email).collect(),
        }
    }
}

/// The columns as filters over one part may use them, the resource's row being `r`.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) database: Database,
    pub(crate) part: Part,
    pub(crate) params_before: usize,
}

impl Columns for Kept {
    fn database(&self) -> Database {
        self.database
    }

    fn params_before(&self) -> usize {
        self.params_before
    }

    fn column(&self, attribute: &Attribute) -> Option<Column> {
        let Location { extension, name, sub, .. } = &attribute.location;
        let (sql, holds) = match (extension.as_deref(), &**name, sub.as_deref()) {
            (None, "id", None) => ("r.id", Holds::Exact),
            (None, "meta", Some("resourceType")) => ("r.kind", Holds::Exact),
            (None, "meta", Some("created")) => ("r.created", Holds::Micros),
            (None, "meta", Some("lastModified")) => ("r.last_modified", Holds::Micros),
            (Some(EDGES), "members", Some("value")) => ("e.member_id", Holds::Exact),
            (Some(EDGES), "memberOf", Some("value")) => ("e.group_id", Holds::Exact),
            (Some(ASSIGNED), "owner", None) => ("r.owner", Holds::Exact),
            (None, name, sub) if self.part == Part::Sent => sent_column(name, sub)?,
            _ => return None,
        };
        compares_so(attribute, sql, holds).then(|| Column::new(sql, holds))
    }

    fn rows(&self, attribute: &Attribute) -> Option<&'static str> {
        match (attribute.location.extension.as_deref(), &*attribute.location.name) {
            (Some(EDGES), "members") => {
                Some("FROM edge e WHERE e.tenant = r.tenant AND e.group_id = r.id")
            }
            (Some(EDGES), "memberOf") => {
                Some("FROM edge e WHERE e.tenant = r.tenant AND e.member_id = r.id")
            }
            (None, "emails") if self.part == Part::Sent => {
                Some("FROM email e WHERE e.tenant = r.tenant AND e.id = r.id")
            }
            _ => None,
        }
    }
}

impl Kept {
    /// A term on any element of a list, as a search that begins at the elements: far faster than to ask every resource, as
    /// [`rows`](Columns::rows) would. The organisation is the first parameter of the statement.
    pub(crate) fn search(&self, term: &Bound) -> Option<Fragment> {
        let Bound::Compare { attribute, op, operand } = term else { return None };
        if *op == Op::Ne || !attribute.multi_valued {
            return None;
        }
        let owners = match self.column(attribute)?.sql {
            "e.value" => "r.id IN (SELECT e.id FROM email e WHERE e.tenant = ?1 AND ",
            "e.member_id" => "r.id IN (SELECT e.group_id FROM edge e WHERE e.tenant = ?1 AND ",
            "e.group_id" => "r.id IN (SELECT e.member_id FROM edge e WHERE e.tenant = ?1 AND ",
            _ => return None,
        };
        let mut element = attribute.clone();
        element.multi_valued = false;
        let (op, operand) = (*op, operand.clone());
        let mut found =
            render(&Bound::Compare { attribute: element, op, operand }, &Element(self))?;
        found.text = format!("{owners}{})", found.text);
        Some(found)
    }
}

/// The columns inside of a list's rows, where an attribute has one value.
#[derive(Debug)]
struct Element<'k>(&'k Kept);

impl Columns for Element<'_> {
    fn database(&self) -> Database {
        self.0.database()
    }

    fn params_before(&self) -> usize {
        self.0.params_before()
    }

    fn column(&self, attribute: &Attribute) -> Option<Column> {
        self.0.column(&attribute.clone().multi_valued())
    }
}

fn sent_column(name: &str, sub: Option<&str>) -> Option<(&'static str, Holds)> {
    match (name, sub) {
        ("userName", None) => Some(("r.user_name", Holds::Key)),
        ("externalId", None) => Some(("r.external_id", Holds::Exact)),
        ("displayName", None) => Some(("r.display_name", Holds::Key)),
        ("active", None) => Some(("r.active", Holds::Boolean)),
        ("emails", Some("value")) => Some(("e.value", Holds::Key)),
        _ => None,
    }
}

/// Whether a schema gives the attribute the type and the case that its column was written with.
fn compares_so(attribute: &Attribute, sql: &str, holds: Holds) -> bool {
    let (kind, case) = match (holds, sql) {
        (Holds::Micros, _) => return attribute.kind == Type::DateTime && !attribute.multi_valued,
        (Holds::Boolean, _) => return attribute.kind == Type::Boolean && !attribute.multi_valued,
        (Holds::Key, "r.user_name") => (Type::String, Case::Name),
        (Holds::Key, _) => (Type::String, Case::Folded),
        _ => (Type::String, Case::Exact),
    };
    attribute.multi_valued == sql.starts_with("e.")
        && attribute.kind == kind
        && attribute.case == case
}
