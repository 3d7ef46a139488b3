//! Filters as conditions on the row `r` of a resource.
//!
//! Only texts written here and by [`render`] are put together. Values are parameters, and so are numbers of marks.

use scim_core::{
    ASSIGNED,
    filter::{
        Attribute, Bound, Case, Location, Op, Operand, Type,
        sql::{Column, Columns, Database, Fragment, Holds, Param, render},
    },
    store::{EDGES, Part},
};

use super::{Kept, Marks, Uses};

/// What a query asks about, as far as its filter is concerned. The organisation is the first parameter of the statement.
#[derive(Debug)]
pub(crate) struct Terms<'q> {
    pub(crate) database: Database,
    pub(crate) marks: &'q Marks,
    pub(crate) kinds: Vec<&'q str>,
    pub(crate) part: Part,
    pub(crate) params_before: usize,
}

/// A condition, and the values of its parameters in order.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Condition {
    pub(crate) text: String,
    pub(crate) params: Vec<Param>,
}

impl Condition {
    /// Both hold.
    pub(crate) fn and(&mut self, other: Self) {
        if !self.text.is_empty() {
            self.text.push_str(" AND ");
        }
        self.text.extend(["(", &other.text, ")"]);
        self.params.extend(other.params);
    }
}

/// A term, as the places of those that it selects or as what must hold.
enum Term {
    Places(Vec<String>),
    Holds(String),
}

/// So many searches are joined at most. SQLite refuses more than 500.
const SEARCHES: usize = 400;

impl Term {
    fn holds(self) -> String {
        match self {
            Self::Places(selects) => format!("r.place IN ({})", selects.join(" UNION ALL ")),
            Self::Holds(text) => text,
        }
    }
}

impl Terms<'_> {
    /// A term in SQL, if all of it has an exact translation. Its parameters follow on so many that are there already.
    pub(crate) fn condition(&self, term: &Bound, already: usize) -> Option<Condition> {
        let mut writer =
            Writer { terms: self, before: self.params_before + already, params: vec![] };
        let text = writer.term(term)?.holds();
        Some(Condition { text, params: writer.params })
    }

    fn numbers(&self, attribute: &Attribute) -> Option<Vec<i64>> {
        self.kinds.iter().map(|kind| self.marks.number(kind, attribute)).collect()
    }
}

struct Writer<'q> {
    terms: &'q Terms<'q>,
    before: usize,
    params: Vec<Param>,
}

impl Writer<'_> {
    fn term(&mut self, term: &Bound) -> Option<Term> {
        match term {
            Bound::And(terms) => {
                let terms: Vec<_> =
                    terms.iter().map(|term| self.term(term)).collect::<Option<_>>()?;
                Some(Term::Holds(joined(terms, " AND ")))
            }
            Bound::Or(terms) => {
                let terms: Vec<_> =
                    terms.iter().map(|term| self.term(term)).collect::<Option<_>>()?;
                either(terms)
            }
            Bound::Not(term) => self.negated(term),
            Bound::Compare { attribute, op: Op::Ne, operand } => {
                let (attribute, operand) = (attribute.clone(), operand.clone());
                self.negated(&Bound::Compare { attribute, op: Op::Eq, operand })
            }
            Bound::Compare { attribute, .. }
            | Bound::OneOf { attribute, .. }
            | Bound::Present(attribute) => match self.terms.numbers(attribute) {
                Some(numbers) => self.marked(term, attribute, numbers),
                None => self.plain(term),
            },
            other => self.plain(other),
        }
    }

    /// A term that is NULL is not true, so its opposite is.
    fn negated(&mut self, term: &Bound) -> Option<Term> {
        let text = self.term(term)?.holds();
        Some(Term::Holds(format!("NOT COALESCE({text}, 1 = 0)")))
    }

    /// A term on a marked attribute: any key of the resource satisfies it.
    fn marked(&mut self, term: &Bound, attribute: &Attribute, numbers: Vec<i64>) -> Option<Term> {
        let uses = Uses::finding(self.terms.part)?;
        let from = match Kept::of(attribute)? {
            Kept::Text => "SELECT k.place FROM text_key k WHERE k.tenant = ?1 AND k.mark IN (",
            Kept::Number => "SELECT k.place FROM number_key k WHERE k.tenant = ?1 AND k.mark IN (",
        };
        let marks: Vec<_> =
            numbers.into_iter().map(|number| self.param(Param::Integer(number))).collect();
        let uses = self.param(Param::Integer(uses.0));
        let start = format!("{from}{}) AND k.uses & {uses} <> 0", marks.join(", "));
        let span = self.span(term);
        let value = self.rendered(&element(term), Of::Key)?;
        Some(Term::Places(vec![format!("{start}{span} AND {value}")]))
    }

    /// What begins with a text stands in one stretch of the index.
    fn span(&mut self, term: &Bound) -> String {
        let Bound::Compare { op: Op::Sw, operand: Operand::Text(text), .. } = term else {
            return String::new();
        };
        let first = self.param(Param::Text(text.to_string()));
        match after_all_with(text) {
            Some(end) => {
                let end = self.param(Param::Text(end));
                format!(" AND k.value >= {first} AND k.value < {end}")
            }
            None => format!(" AND k.value >= {first}"),
        }
    }

    /// A term on the row itself, or on memberships.
    fn plain(&mut self, term: &Bound) -> Option<Term> {
        let text = match self.membership(term) {
            Some(text) => text,
            None => self.rendered(term, Of::Resource)?,
        };
        Some(Term::Holds(text))
    }

    /// A term on any membership, as a search that begins at the members: far faster than to ask every resource, as
    /// [`rows`](Columns::rows) would.
    fn membership(&mut self, term: &Bound) -> Option<String> {
        let (Bound::Compare { attribute, .. } | Bound::OneOf { attribute, .. }) = term else {
            return None;
        };
        let owners = match column(attribute)?.sql {
            "e.member_id" => "r.id IN (SELECT e.group_id FROM edge e WHERE e.tenant = ?1 AND ",
            "e.group_id" => "r.id IN (SELECT e.member_id FROM edge e WHERE e.tenant = ?1 AND ",
            _ => return None,
        };
        Some(format!("{owners}{})", self.rendered(&element(term), Of::Edge)?))
    }

    fn rendered(&mut self, term: &Bound, of: Of) -> Option<String> {
        let params_before = self.before + self.params.len();
        let at = At { of, database: self.terms.database, params_before };
        let Fragment { text, params, .. } = render(term, &at)?;
        self.params.extend(params);
        Some(text)
    }

    fn param(&mut self, param: Param) -> String {
        self.params.push(param);
        let sign = match self.terms.database {
            Database::Postgres => '$',
            _ => '?',
        };
        format!("{sign}{}", self.before + self.params.len())
    }
}

fn joined(terms: Vec<Term>, word: &str) -> String {
    let terms: Vec<_> = terms.into_iter().map(Term::holds).collect();
    format!("({})", terms.join(word))
}

/// Searches stay searches when one of them must find. Too many are left to whoever looks at each resource.
fn either(terms: Vec<Term>) -> Option<Term> {
    if terms.iter().any(|term| matches!(term, Term::Holds(_))) {
        return Some(Term::Holds(joined(terms, " OR ")));
    }
    let selects = terms.into_iter().flat_map(|term| match term {
        Term::Places(selects) => selects,
        Term::Holds(_) => vec![],
    });
    let selects: Vec<_> = selects.collect();
    (selects.len() <= SEARCHES).then_some(Term::Places(selects))
}

/// The term, as it is asked of one value of a list.
fn element(term: &Bound) -> Bound {
    let mut term = term.clone();
    if let Bound::Compare { attribute, .. }
    | Bound::OneOf { attribute, .. }
    | Bound::Present(attribute) = &mut term
    {
        attribute.multi_valued = false;
    }
    term
}

/// The least text that is greater than every text that begins with this one, by code point.
fn after_all_with(text: &str) -> Option<String> {
    let mut text = text.to_owned();
    while let Some(last) = text.pop() {
        let mut above = (u32::from(last) + 1..).take_while(|code| *code <= u32::from(char::MAX));
        if let Some(next) = above.find_map(char::from_u32) {
            text.push(next);
            return Some(text);
        }
    }
    None
}

/// Whose columns a text looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    /// The row `k` of a key.
    Key,
    /// The row `r` of a resource, and the rows `e` of its memberships.
    Resource,
    /// One row `e` of a membership.
    Edge,
}

/// The columns at hand.
#[derive(Debug)]
struct At {
    of: Of,
    database: Database,
    params_before: usize,
}

impl Columns for At {
    fn database(&self) -> Database {
        self.database
    }

    fn params_before(&self) -> usize {
        self.params_before
    }

    fn column(&self, attribute: &Attribute) -> Option<Column> {
        match self.of {
            Of::Key => Some(Column::new(
                "k.value",
                match attribute.kind {
                    Type::String => Holds::Key,
                    Type::Boolean => Holds::Boolean,
                    Type::Integer => Holds::Integer,
                    _ => return None,
                },
            )),
            Of::Resource => column(attribute),
            Of::Edge => column(&attribute.clone().multi_valued()),
        }
    }

    fn rows(&self, attribute: &Attribute) -> Option<&'static str> {
        match (attribute.location.extension.as_deref(), &*attribute.location.name) {
            (Some(EDGES), "members") => {
                Some("FROM edge e WHERE e.tenant = r.tenant AND e.group_id = r.id")
            }
            (Some(EDGES), "memberOf") => {
                Some("FROM edge e WHERE e.tenant = r.tenant AND e.member_id = r.id")
            }
            _ => None,
        }
    }
}

/// What a row or a membership has in a column of its own, if a schema gives it the type that the column was written with.
fn column(attribute: &Attribute) -> Option<Column> {
    let Location { extension, name, sub, .. } = &attribute.location;
    let (sql, holds) = match (extension.as_deref(), &**name, sub.as_deref()) {
        (None, "id", None) => ("r.id", Holds::Exact),
        (None, "meta", Some("resourceType")) => ("r.kind", Holds::Exact),
        (None, "meta", Some("created")) => ("r.created", Holds::Micros),
        (None, "meta", Some("lastModified")) => ("r.last_modified", Holds::Micros),
        (Some(EDGES), "members", Some("value")) => ("e.member_id", Holds::Exact),
        (Some(EDGES), "memberOf", Some("value")) => ("e.group_id", Holds::Exact),
        (Some(ASSIGNED), "owner", None) => ("r.owner", Holds::Exact),
        _ => return None,
    };
    let fits = match holds {
        Holds::Micros => attribute.kind == Type::DateTime,
        _ => attribute.kind == Type::String && attribute.case == Case::Exact,
    };
    let listed = sql.starts_with("e.");
    (fits && attribute.multi_valued == listed).then(|| Column::new(sql, holds))
}
