//! A bound filter as a condition in SQL, exactly as true as [`Bound::matches`], or not at all.
//!
//! The text is made of what [`Columns`] gives, all `'static`, and of words written here. Values from a
//! filter are parameters, always. What has no exact translation gives `None`, and [`Bound::split`] keeps
//! it for the evaluator:
//!
//! ```
//! use scim_filter::sql::{Column, Columns, Database, Holds, render};
//! use scim_filter::{Attribute, AttrPath, Coercion, Filter, Location, Resolution, Resolve, Type};
//!
//! # struct Schema;
//! # impl Resolve for Schema {
//! #     fn resolve(&self, path: &AttrPath) -> Resolution {
//! #         Resolution::Found(Attribute::new(Location::new(path.name()), Type::String))
//! #     }
//! #     fn sub_attribute(&self, _: &Attribute, _: &str) -> Resolution { Resolution::Unknown }
//! # }
//! struct Users;
//!
//! impl Columns for Users {
//!     fn database(&self) -> Database { Database::Sqlite }
//!     fn column(&self, attribute: &Attribute) -> Option<Column> {
//!         (&*attribute.location.name == "userName")
//!             .then(|| Column::new("u.user_name_key", Holds::Key))
//!     }
//! }
//!
//! let filter: Filter = r#"userName sw "50%" and title pr"#.parse()?;
//! let bound = filter.bind(&Schema, &Coercion::STRICT)?;
//! let (push, rest) = bound.split(|term| render(term, &Users).is_some());
//! let fragment = render(&push.unwrap(), &Users).unwrap();
//! assert_eq!(fragment.text, "substr(CAST(u.user_name_key AS BLOB), 1, 3) = CAST(?1 AS BLOB)");
//! assert_eq!(fragment.params, [scim_filter::sql::Param::Text("50%".into())]);
//! assert_eq!(rest.unwrap().to_string(), "title pr");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::cmp::Ordering;

use crate::{Attribute, Bound, Case, Instant, Op, Operand, Type, eval::compare_numbers};

/// Where a backend keeps attributes.
pub trait Columns {
    /// Which SQL to write.
    fn database(&self) -> Database;

    /// The column that holds the attribute's value, or each of its values, and nothing but it.
    ///
    /// NULL, or no row, where there is none. `None` leaves the attribute to the evaluator.
    fn column(&self, attribute: &Attribute) -> Option<Column>;

    /// The rows that hold the elements of a multi-valued attribute (asked for without sub-attribute), one
    /// row an element, joined to the resource's row, as ` FROM … WHERE …`; other terms are added with `AND`.
    ///
    /// ```text
    /// FROM user_email e WHERE e.tenant = u.tenant AND e.user_id = u.id
    /// ```
    fn rows(&self, attribute: &Attribute) -> Option<&'static str> {
        let _ = attribute;
        None
    }

    /// How many parameters stand before the fragment in the statement.
    fn params_before(&self) -> usize {
        0
    }
}

/// Which SQL is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Database {
    /// Parameters `?1`; parts of texts by `instr` and `substr`. Text columns compare by `BINARY`, and the file is in UTF-8.
    Sqlite,
    /// Parameters `$1`; patterns by `LIKE`. Text columns must be given with `COLLATE "C"`.
    Postgres,
}

/// A column of a backend's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Column {
    /// The expression for it, such as `u.user_name_key`.
    pub sql: &'static str,
    /// What it holds.
    pub holds: Holds,
}

impl Column {
    /// A column, and what it holds.
    #[must_use]
    pub const fn new(sql: &'static str, holds: Holds) -> Self {
        Self { sql, holds }
    }
}

/// What a column holds of a value. A column is exact: it holds all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Holds {
    /// The text as it is; for attributes whose text compares exactly.
    Exact,
    /// The text's key by the attribute's [`Case`].
    Key,
    /// A boolean.
    Boolean,
    /// A 64-bit integer.
    Integer,
    /// A double.
    Decimal,
    /// An instant, as an integer of milliseconds since 1970; all values are whole milliseconds.
    Millis,
    /// An instant, as an integer of microseconds since 1970; all values are whole microseconds.
    Micros,
    /// An instant, as [`Instant`] prints it.
    InstantText,
}

/// A condition, and the values of its parameters in order.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Fragment {
    /// An expression, to be put in parentheses where it is joined to others. It may be NULL, which a
    /// `WHERE` takes for false.
    pub text: String,
    /// The values of its parameters.
    pub params: Vec<Param>,
}

/// The value of a parameter.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Param {
    /// Text.
    Text(String),
    /// A 64-bit integer.
    Integer(i64),
    /// A double.
    Decimal(f64),
    /// A boolean.
    Boolean(bool),
}

/// The filter in SQL, if all of it has an exact translation.
#[must_use]
pub fn render(bound: &Bound, columns: &dyn Columns) -> Option<Fragment> {
    let mut writer = Writer { columns, text: String::new(), params: Vec::new() };
    writer.bound(bound, Rows::Own)?;
    Some(Fragment { text: writer.text, params: writer.params })
}

/// In whose rows a term stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rows {
    /// The resource's: lists need a subquery.
    Own,
    /// A list's: the columns are at hand.
    Element,
}

struct Writer<'a> {
    columns: &'a dyn Columns,
    text: String,
    params: Vec<Param>,
}

impl Writer<'_> {
    fn bound(&mut self, bound: &Bound, rows: Rows) -> Option<()> {
        match bound {
            Bound::And(terms) => self.joined(terms, " AND ", rows),
            Bound::Or(terms) => self.joined(terms, " OR ", rows),
            Bound::Not(term) => self.negated(|writer| writer.bound(term, rows)),
            Bound::Always(value) => self.push(if *value { "1 = 1" } else { "1 = 0" }),
            Bound::Compare { attribute, op: Op::Ne, operand } => {
                self.negated(|writer| writer.compare(attribute, Op::Eq, operand, rows))
            }
            Bound::Compare { attribute, op, operand } => {
                self.compare(attribute, *op, operand, rows)
            }
            Bound::OneOf { attribute, operands } => self.one_of(attribute, operands, rows),
            Bound::Present(attribute) => self.present(attribute, rows),
            Bound::Element { attribute, filter } => self.element(attribute, filter, rows),
        }
    }

    fn push(&mut self, text: &str) -> Option<()> {
        self.text.push_str(text);
        Some(())
    }

    fn param(&mut self, param: Param) -> Option<()> {
        self.params.push(param);
        let sign = match self.columns.database() {
            Database::Sqlite => '?',
            Database::Postgres => '$',
        };
        let n = self.columns.params_before() + self.params.len();
        self.push(&format!("{sign}{n}"))
    }

    fn joined(&mut self, terms: &[Bound], word: &str, rows: Rows) -> Option<()> {
        self.push("(")?;
        for (n, term) in terms.iter().enumerate() {
            if n > 0 {
                self.push(word)?;
            }
            self.bound(term, rows)?;
        }
        self.push(")")
    }

    /// A term that is NULL is not true, so its opposite is; without a NULL inside, `NOT` has no third
    /// way. Only under `NOT` does the difference between NULL and false show.
    fn negated(&mut self, term: impl FnOnce(&mut Self) -> Option<()>) -> Option<()> {
        self.push("NOT COALESCE(")?;
        term(self)?;
        self.push(", 1 = 0)")
    }

    /// A condition on a column: as it is, or on some row of the list.
    fn on_column(
        &mut self,
        attribute: &Attribute,
        rows: Rows,
        condition: impl FnOnce(&mut Self, Column) -> Option<()>,
    ) -> Option<()> {
        let column = self.columns.column(attribute)?;
        if rows == Rows::Element || !attribute.multi_valued {
            return condition(self, column);
        }
        self.subquery(attribute, |writer| condition(writer, column))
    }

    fn subquery(
        &mut self,
        attribute: &Attribute,
        condition: impl FnOnce(&mut Self) -> Option<()>,
    ) -> Option<()> {
        let list = Attribute { location: attribute.location.parent(), ..attribute.clone() };
        let from = self.columns.rows(&list)?;
        self.push("EXISTS (SELECT 1 ")?;
        self.push(from)?;
        self.push(" AND ")?;
        condition(self)?;
        self.push(")")
    }

    fn element(&mut self, attribute: &Attribute, filter: &Bound, rows: Rows) -> Option<()> {
        // One object could be looked at in place, but columns do not say whether it is there at all.
        if rows == Rows::Element || !attribute.multi_valued {
            return None;
        }
        self.subquery(attribute, |writer| writer.bound(filter, Rows::Element))
    }

    fn present(&mut self, attribute: &Attribute, rows: Rows) -> Option<()> {
        if attribute.kind == Type::Complex {
            let list = attribute.multi_valued && rows == Rows::Own;
            return if list { self.subquery(attribute, |w| w.push("1 = 1")) } else { None };
        }
        self.on_column(attribute, rows, |writer, column| {
            writer.push(column.sql)?;
            writer.push(match column.holds {
                Holds::Exact | Holds::Key => " <> ''",
                _ => " IS NOT NULL",
            })
        })
    }

    fn one_of(&mut self, attribute: &Attribute, operands: &[Operand], rows: Rows) -> Option<()> {
        self.on_column(attribute, rows, |writer, column| {
            if fits(attribute, column.holds).is_some() {
                return writer.one_of_texts(column, operands);
            }
            writer.push("(")?;
            for (n, operand) in operands.iter().enumerate() {
                writer.push(if n > 0 { " OR " } else { "" })?;
                writer.condition(attribute, column, Op::Eq, operand)?;
            }
            writer.push(")")
        })
    }

    fn one_of_texts(&mut self, column: Column, operands: &[Operand]) -> Option<()> {
        self.push(column.sql)?;
        for (n, operand) in operands.iter().enumerate() {
            let Operand::Text(text) = operand else { return None };
            self.push(if n > 0 { ", " } else { " IN (" })?;
            self.param(Param::Text(text.as_ref().into()))?;
        }
        self.push(")")
    }

    fn compare(
        &mut self,
        attribute: &Attribute,
        op: Op,
        operand: &Operand,
        rows: Rows,
    ) -> Option<()> {
        self.on_column(attribute, rows, |writer, column| {
            writer.condition(attribute, column, op, operand)
        })
    }

    fn condition(
        &mut self,
        attribute: &Attribute,
        column: Column,
        op: Op,
        operand: &Operand,
    ) -> Option<()> {
        match (operand, column.holds) {
            (Operand::Text(text), holds) => {
                fits(attribute, holds)?;
                self.text(column, op, text)
            }
            (Operand::Boolean(value), Holds::Boolean) => {
                self.order(column, op, Param::Boolean(*value))
            }
            (Operand::Integer(value), Holds::Integer) => {
                self.order(column, op, Param::Integer(*value))
            }
            (Operand::Decimal(value), Holds::Integer) => {
                self.between(column, op, floor(*value)?, Ordering::Less)
            }
            (Operand::Integer(value), Holds::Decimal) => {
                self.order(column, op, Param::Decimal(exact(*value)?))
            }
            (Operand::Decimal(value), Holds::Decimal) => {
                self.order(column, op, Param::Decimal(*value))
            }
            (Operand::Instant(value), holds) => self.instant(column, op, *value, holds),
            _ => None,
        }
    }

    fn text(&mut self, column: Column, op: Op, text: &str) -> Option<()> {
        if !op.is_substring() {
            return self.order(column, op, Param::Text(text.into()));
        }
        if text.len() > Bound::PATTERN_BYTES {
            return None;
        }
        match self.columns.database() {
            Database::Sqlite => self.part(column, op, text),
            Database::Postgres => {
                self.push(column.sql)?;
                self.push(" LIKE ")?;
                self.param(Param::Text(pattern(op, text)))?;
                self.push(r" ESCAPE '\'")
            }
        }
    }

    /// SQLite's patterns end at a NUL. What these functions look at does not.
    fn part(&mut self, column: Column, op: Op, text: &str) -> Option<()> {
        let (sql, bytes) = (column.sql, text.len());
        let at = match op {
            Op::Sw => "1, ",
            Op::Ew => "-",
            _ => "",
        };
        // The last nothing of a text cannot be asked for.
        let contains = at.is_empty() || text.is_empty();
        match contains {
            true => self.push(&format!("instr({sql}, "))?,
            false => self.push(&format!("substr(CAST({sql} AS BLOB), {at}{bytes}) = CAST("))?,
        }
        self.param(Param::Text(text.into()))?;
        self.push(if contains { ") > 0" } else { " AS BLOB)" })
    }

    fn instant(&mut self, column: Column, op: Op, at: Instant, holds: Holds) -> Option<()> {
        let nanos = i64::from(at.nanos());
        let (per_second, unit) = match holds {
            Holds::Millis => (1_000, 1_000_000),
            Holds::Micros => (1_000_000, 1_000),
            Holds::InstantText => return self.order(column, op, Param::Text(at.to_string())),
            _ => return None,
        };
        let ticks = at.seconds().checked_mul(per_second)?.checked_add(nanos / unit)?;
        self.between(column, op, ticks, (0).cmp(&(nanos % unit)))
    }

    /// An integer column against a number that is `whole`, or (`rest` is `Less`) a little more.
    fn between(&mut self, column: Column, op: Op, whole: i64, rest: Ordering) -> Option<()> {
        let op = match (rest, op) {
            (Ordering::Less, Op::Eq) => return self.push("1 = 0"),
            (Ordering::Less, Op::Ge) => Op::Gt,
            (Ordering::Less, Op::Lt) => Op::Le,
            (_, op) => op,
        };
        self.order(column, op, Param::Integer(whole))
    }

    fn order(&mut self, column: Column, op: Op, param: Param) -> Option<()> {
        self.push(column.sql)?;
        self.push(match op {
            Op::Eq => " = ",
            Op::Gt => " > ",
            Op::Ge => " >= ",
            Op::Lt => " < ",
            Op::Le => " <= ",
            Op::Ne | Op::Co | Op::Sw | Op::Ew => return None,
        })?;
        self.param(param)
    }
}

/// Whether a text column compares as the attribute does.
fn fits(attribute: &Attribute, holds: Holds) -> Option<()> {
    let exact = attribute.case == Case::Exact;
    let fits = match holds {
        Holds::Key => true,
        Holds::Exact => exact,
        _ => false,
    };
    (fits && attribute.kind == Type::String).then_some(())
}

/// The whole part of a number that has a fraction and an integer next to it.
fn floor(value: f64) -> Option<i64> {
    let whole = value.floor() as i64;
    (compare_numbers(whole, value)? == Ordering::Less && whole != i64::MIN).then_some(whole)
}

/// An integer as a double, if a double holds it.
fn exact(value: i64) -> Option<f64> {
    let double = value as f64;
    compare_numbers(value, double)?.is_eq().then_some(double)
}

/// A pattern that finds `text` and has no other wildcard than those at its ends.
fn pattern(op: Op, text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    if op != Op::Sw {
        pattern.push('%');
    }
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    if op != Op::Ew {
        pattern.push('%');
    }
    pattern
}
