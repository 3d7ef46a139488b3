//! Pages along an index of the order that is asked for: nothing is read but what stands on them.

use rusqlite::{Connection, params_from_iter, types::Value as Sql};
use scim_core::store::{Order as Ends, PageKey, Paging, Query, Selected};

use super::{failure::Result, query::Statement};
use crate::index::{Kept, Order, Source, Value};

/// The page, if all kinds have an index of the order and the key of the page can stand in it.
pub(super) fn page(
    sql: &Connection,
    of: &Statement<'_>,
    orders: &[Order],
    (query, ends): (&Query, Ends),
    total: u64,
) -> Result<Option<Selected>> {
    let (skip, after, count) = match &query.paging {
        Paging::Index { start, count } => (start.saturating_sub(1), None, *count),
        Paging::After { key: None, count } => (0, None, *count),
        Paging::After { key: Some(text), count } => match PageKey::decode(text, query) {
            Some(key) => (0, Some(key), *count),
            None => return Ok(Some(Selected::new(vec![], total, None))),
        },
    };
    // Of several kinds nobody knows beforehand which ones are passed over.
    let (skip_each, skip_all) = if orders.len() == 1 { (skip, 0) } else { (0, skip) };
    let skip_all = usize::try_from(skip_all).unwrap_or(usize::MAX);
    let wanted = count.saturating_add(skip_all).saturating_add(1);
    let mut found = vec![];
    for (kind, order) in orders.iter().enumerate() {
        let walk = Walk { sql, of, kind, order };
        let Some(start) = start(order, after.as_ref()) else { return Ok(None) };
        let standing = match ends {
            Ends::Ascending => walk.rising(&start, skip_each, wanted)?,
            Ends::Descending => walk.falling(&start, skip_each, wanted)?,
        };
        found.extend(standing.into_iter().filter_map(|(value, place)| {
            Some(PageKey::new(place.unsigned_abs(), Some(order.key(value)?), query))
        }));
    }
    if orders.len() > 1 {
        found.sort();
    }
    let more = found.len() > skip_all.saturating_add(count);
    let page: Vec<_> = found.into_iter().skip(skip_all).take(count).collect();
    let next = page.last().filter(|_| more).map(PageKey::encode);
    let places = page.iter().map(PageKey::place).collect();
    Ok(Some(Selected::new(places, total, next)))
}

/// A value, or none, and a place.
type Standing = (Option<Value>, i64);

/// Where a walk begins.
enum Start {
    /// At the end that the order puts first.
    First,
    /// After a resource.
    After(Option<Value>, i64),
}

/// None where the key is not one of this order.
fn start(order: &Order, after: Option<&PageKey>) -> Option<Start> {
    let Some(after) = after else { return Some(Start::First) };
    let place = i64::try_from(after.place()).unwrap_or(i64::MAX);
    Some(Start::After(order.stored(after.value()?)?, place))
}

/// One kind, in one order.
struct Walk<'w> {
    sql: &'w Connection,
    of: &'w Statement<'w>,
    kind: usize,
    order: &'w Order,
}

// The two directions. Those without a value come last, in the one that falls first.
impl Walk<'_> {
    fn rising(&self, start: &Start, skip: u64, count: usize) -> Result<Vec<Standing>> {
        let mut found = match start {
            Start::First => self.stretch(Along::Rising, skip, count)?,
            Start::After(Some(value), place) => {
                self.stretch(Along::RisingFrom(value, *place), 0, count)?
            }
            Start::After(None, _) => vec![],
        };
        if found.len() < count && self.order.may_miss() {
            let place = if let Start::After(None, place) = start { *place } else { 0 };
            let skip = if skip > 0 && found.is_empty() {
                skip.saturating_sub(self.count(Along::Rising)?)
            } else {
                0
            };
            found.extend(self.stretch(Along::Missing(place), skip, count - found.len())?);
        }
        Ok(found)
    }

    fn falling(&self, start: &Start, skip: u64, count: usize) -> Result<Vec<Standing>> {
        let missing_after = match start {
            Start::First => Some(0),
            Start::After(None, place) => Some(*place),
            Start::After(Some(_), _) => None,
        };
        let mut found = vec![];
        let mut skip = skip;
        if let Some(place) = missing_after.filter(|_| self.order.may_miss()) {
            found = self.stretch(Along::Missing(place), skip, count)?;
            if skip > 0 {
                skip = match found.is_empty() {
                    true => skip.saturating_sub(self.count(Along::Missing(place))?),
                    false => 0,
                };
            }
        }
        if let Start::After(Some(value), place) = start {
            found = self.stretch(Along::Among(value, *place), 0, count)?;
        }
        let below = if let Start::After(Some(value), _) = start { Some(value) } else { None };
        let left = count - found.len();
        found.extend(match skip {
            0 => self.below(below, left)?,
            // As many entries are passed over as the page lies deep, so equals may as well be sorted.
            skip => self.stretch(Along::Falling, skip, left)?,
        });
        Ok(found)
    }

    /// From the greatest value below one downwards, and equals in order of place. The index has those the other way round, so that the last
    /// value, of which perhaps not all were read, is read again from its other end.
    fn below(&self, value: Option<&Value>, count: usize) -> Result<Vec<Standing>> {
        let along = match value {
            Some(value) => Along::FallingBelow(value),
            None => Along::FallingBack,
        };
        let mut found = self.stretch(along, 0, count)?;
        found.sort_by(|(a, at), (b, beside)| b.cmp(a).then(at.cmp(beside)));
        let cut = found.len() == count;
        if let Some((Some(last), _)) = found.last().filter(|_| cut).cloned() {
            found.retain(|(value, _)| value.as_ref() != Some(&last));
            let again = self.stretch(Along::Among(&last, 0), 0, count - found.len())?;
            found.extend(again);
        }
        Ok(found)
    }
}

/// Which part of an index, and which way.
#[derive(Clone, Copy)]
enum Along<'v> {
    /// All values upwards.
    Rising,
    /// The values after one that stands at a place.
    RisingFrom(&'v Value, i64),
    /// All values downwards, equals in order of place.
    Falling,
    /// All values downwards, equals too.
    FallingBack,
    /// The values below one, downwards, equals too.
    FallingBelow(&'v Value),
    /// The places of one value after a place.
    Among(&'v Value, i64),
    /// The places without value after a place.
    Missing(i64),
}

// Their statements. Only texts written here and in the condition are put together.
impl Walk<'_> {
    fn stretch(&self, along: Along<'_>, skip: u64, count: usize) -> Result<Vec<Standing>> {
        if count == 0 {
            return Ok(vec![]);
        }
        let text = self.text(along);
        let mut found = self.sql.prepare_cached(&text)?;
        let missing = matches!(along, Along::Missing(_));
        // The kinds that come after this one may not be mentioned.
        let values = self.values(along, skip, count).take(found.parameter_count());
        let standing = found.query_map(params_from_iter(values), |row| {
            let value = match (missing, self.order.is_text()) {
                (true, _) => None,
                (false, true) => Some(Value::Text(row.get(0)?)),
                (false, false) => Some(Value::Number(row.get(0)?)),
            };
            Ok((value, row.get(1)?))
        })?;
        Ok(standing.collect::<rusqlite::Result<_>>()?)
    }

    fn text(&self, along: Along<'_>) -> String {
        let (value, place) = self.columns();
        let (bounds, order) = match along {
            Along::Rising => ("", "{v}, {p}"),
            Along::RisingFrom(..) => ("AND ({v}, {p}) > ({value}, ?2)", "{v}, {p}"),
            Along::Falling => ("", "{v} DESC, {p}"),
            Along::FallingBack => ("", "{v} DESC, {p} DESC"),
            Along::FallingBelow(_) => ("AND {v} < {value}", "{v} DESC, {p} DESC"),
            Along::Among(..) | Along::Missing(_) => ("AND {v} = {value} AND {p} > ?2", "{v}, {p}"),
        };
        format!(
            "SELECT {value}, {place} {} {} ORDER BY {} LIMIT ?3 OFFSET ?4",
            self.from(),
            self.filled(bounds),
            self.filled(order)
        )
    }

    /// How many stand there.
    fn count(&self, along: Along<'_>) -> Result<u64> {
        let bounds = match along {
            Along::Missing(_) => "AND {v} = {value} AND {p} > ?2",
            _ => "",
        };
        let text = format!("SELECT COUNT(*) {} {}", self.from(), self.filled(bounds));
        let mut found = self.sql.prepare_cached(&text)?;
        let values = params_from_iter(self.values(along, 0, 0).take(found.parameter_count()));
        Ok(found.query_row(values, |row| row.get::<_, i64>(0))?.unsigned_abs())
    }

    fn columns(&self) -> (&'static str, &'static str) {
        match self.order.source {
            Source::Keys { .. } => ("k.value", "k.place"),
            Source::Column(column) => (column, "r.place"),
        }
    }

    /// A text with the names of the columns and the number of the value's parameter.
    fn filled(&self, text: &str) -> String {
        let (value, place) = self.columns();
        let number = format!("?{}", self.value_param());
        text.replace("{v}", value).replace("{p}", place).replace("{value}", &number)
    }

    /// After the parameters of the statement come mark and uses, and last the value.
    fn value_param(&self) -> usize {
        match self.order.source {
            Source::Keys { .. } => self.of.params() + 3,
            Source::Column(_) => self.of.params() + 1,
        }
    }

    fn from(&self) -> String {
        let (mark, uses) = (self.of.params() + 1, self.of.params() + 2);
        let kind = self.of.kind_param(self.kind);
        let narrowed = self.of.narrowed();
        let joined = match &self.order.source {
            Source::Column(_) => {
                return format!(
                    "FROM resource r WHERE r.tenant = ?1 AND r.kind = ?{kind} {narrowed}"
                );
            }
            Source::Keys { .. } if narrowed.is_empty() => String::new(),
            // Cross: the order of the index is worth more than any other plan.
            Source::Keys { .. } => format!(
                "CROSS JOIN resource r ON r.tenant = ?1 AND r.kind = ?{kind} AND r.place = k.place"
            ),
        };
        let table = match self.order.source {
            Source::Keys { kept: Kept::Number, .. } => "number_key",
            _ => "text_key",
        };
        format!(
            "FROM {table} k {joined} WHERE k.tenant = ?1 AND k.mark = ?{mark}
             AND k.uses & ?{uses} <> 0 {narrowed}"
        )
    }

    fn values(&self, along: Along<'_>, skip: u64, count: usize) -> impl Iterator<Item = Sql> {
        let missing = matches!(along, Along::Missing(_));
        let (value, after) = match along {
            Along::RisingFrom(value, place) | Along::Among(value, place) => (Some(value), place),
            Along::FallingBelow(value) => (Some(value), 0),
            Along::Missing(place) => (None, place),
            Along::Rising | Along::Falling | Along::FallingBack => (None, 0),
        };
        let mut own = vec![];
        let mut value = value.cloned();
        if let Source::Keys { kept, mark, uses } = &self.order.source {
            own.extend([Sql::from(if missing { -mark } else { *mark }), Sql::from(*uses)]);
            value = value.or_else(|| missing.then(|| Value::none(*kept)));
        }
        self.of.values(after, skip, count).chain(own).chain(value.map(stored))
    }
}

fn stored(value: Value) -> Sql {
    match value {
        Value::Text(text) => Sql::Text(text),
        Value::Number(number) => Sql::Integer(number),
    }
}

#[cfg(test)]
mod tests;
