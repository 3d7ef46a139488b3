//! Pages along an index of the order that is asked for: nothing is read but what stands on them.

use std::collections::VecDeque;

use rusqlite::{Connection, params_from_iter, types::Value as Sql};
use scim_core::store::{Direction, Order as Ends, PageKey, Paging, Query, Selected, Sort};

use super::{failure::Result, statement::Statement};
use crate::index::{Kept, Order, Source, Value};

/// The page, if all kinds have an index of the order and the key of the page can stand in it.
pub(super) fn page(
    sql: &Connection,
    of: &Statement<'_>,
    orders: &[Order],
    (query, sort): (&Query, &Sort),
    total: u64,
) -> Result<Option<Selected>> {
    let (skip, after, count) = match &query.paging {
        Paging::Index { start, count } => (start.saturating_sub(1), None, *count),
        Paging::After { key: None, count } => (0, None, *count),
        Paging::After { key: Some(text), count } => match PageKey::decode(text, query) {
            Some(key) => (0, Some(key), *count),
            None => return Ok(Some(Selected::new(vec![], total, false))),
        },
    };
    // Of several kinds nobody knows beforehand which ones are passed over.
    let (skip_each, mut skip) = if orders.len() == 1 { (skip, 0) } else { (0, skip) };
    let wanted = count.saturating_add(1);
    let mut streams = vec![];
    for (kind, order) in orders.iter().enumerate() {
        let after = match after.as_ref().map(|after| standing(order, after)) {
            Some(None) => return Ok(None),
            after => after.flatten(),
        };
        let walk = Walk { sql, of, kind, order, ways: ways(sort.order, query.direction) };
        let stretch = if skip == 0 { wanted } else { STRETCH };
        streams.push(Stream::begin(walk, query, (after, skip_each), stretch)?);
    }
    let mut page = vec![];
    while page.len() < wanted
        && let Some(key) = first(&mut streams)?
    {
        match skip {
            0 => page.push(key),
            _ => skip -= 1,
        }
    }
    let more = page.len() > count;
    page.truncate(count);
    Ok(Some(Selected::new(page, total, more)))
}

/// How many keys of a kind are at hand where many are passed over.
const STRETCH: usize = 256;

/// The keys of one kind in their order, of which some are at hand.
struct Stream<'w> {
    walk: Walk<'w>,
    query: &'w Query,
    stretch: usize,
    ahead: VecDeque<PageKey>,
    /// The last one at hand, if there may be more after it.
    last: Option<Standing>,
}

impl<'w> Stream<'w> {
    fn begin(
        walk: Walk<'w>,
        query: &'w Query,
        (after, skip): (Option<Standing>, u64),
        stretch: usize,
    ) -> Result<Self> {
        let mut stream = Self { walk, query, stretch, ahead: VecDeque::new(), last: None };
        stream.take_in(after.as_ref(), skip)?;
        Ok(stream)
    }

    fn take_in(&mut self, after: Option<&Standing>, skip: u64) -> Result<()> {
        let found = self.walk.page(after, skip, self.stretch)?;
        self.last = found.last().filter(|_| found.len() == self.stretch).cloned();
        let (order, query) = (self.walk.order, self.query);
        self.ahead.extend(found.into_iter().filter_map(|(value, place)| {
            Some(PageKey::new(place.unsigned_abs(), Some(order.key(value)?), query))
        }));
        Ok(())
    }

    /// Sees to it that the next one is at hand, if there is one.
    fn advance(&mut self) -> Result<()> {
        while self.ahead.is_empty()
            && let Some(last) = self.last.take()
        {
            self.take_in(Some(&last), 0)?;
        }
        Ok(())
    }
}

/// The first of what comes next in all of them.
fn first(streams: &mut [Stream<'_>]) -> Result<Option<PageKey>> {
    for stream in streams.iter_mut() {
        stream.advance()?;
    }
    let next = streams.iter_mut().filter(|stream| !stream.ahead.is_empty());
    let first = next.min_by(|a, b| a.ahead.front().cmp(&b.ahead.front()));
    Ok(first.and_then(|stream| stream.ahead.pop_front()))
}

/// A value, or none, and a place.
type Standing = (Option<Value>, i64);

/// None where the key is not one of this order.
fn standing(order: &Order, key: &PageKey) -> Option<Standing> {
    let place = i64::try_from(key.place()).unwrap_or(i64::MAX);
    Some((order.stored(key.value()?)?, place))
}

/// Which way values or places go.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Rising,
    Falling,
}

/// The way of the values, with those that have none behind the greatest, and the way of the places of equals.
fn ways(order: Ends, direction: Direction) -> (Way, Way) {
    match (order, direction) {
        (Ends::Ascending, Direction::Forward) => (Way::Rising, Way::Rising),
        (Ends::Ascending, Direction::Backward) => (Way::Falling, Way::Falling),
        (Ends::Descending, Direction::Forward) => (Way::Falling, Way::Rising),
        (Ends::Descending, Direction::Backward) => (Way::Rising, Way::Falling),
    }
}

impl Way {
    /// What compares as coming later.
    fn beyond(self) -> &'static str {
        match self {
            Self::Rising => ">",
            Self::Falling => "<",
        }
    }

    fn order(self) -> &'static str {
        match self {
            Self::Rising => "ASC",
            Self::Falling => "DESC",
        }
    }

    /// Before all places.
    fn start(self) -> i64 {
        match self {
            Self::Rising => 0,
            Self::Falling => i64::MAX,
        }
    }
}

/// One kind, in one order.
struct Walk<'w> {
    sql: &'w Connection,
    of: &'w Statement<'w>,
    kind: usize,
    order: &'w Order,
    ways: (Way, Way),
}

/// Which part of an index.
#[derive(Clone, Copy)]
enum Along<'v> {
    /// All that have a value.
    All,
    /// What comes after a value at a place. Index and places go the same way.
    After(&'v Value, i64),
    /// The values that come after one.
    Beyond(&'v Value),
    /// The places of one value after a place.
    Among(&'v Value, i64),
    /// The places without value after a place.
    Missing(i64),
}

impl Walk<'_> {
    /// So many after one, or after the first few.
    fn page(&self, after: Option<&Standing>, skip: u64, count: usize) -> Result<Vec<Standing>> {
        let (mut after, mut skip, mut found) = (after, skip, vec![]);
        // Those without a value come behind the greatest.
        let missing_first = self.ways.0 == Way::Falling;
        for missing in [missing_first, !missing_first] {
            let begins_later = after.is_some_and(|(value, _)| value.is_none() != missing);
            if begins_later || missing && !self.order.may_miss() {
                continue;
            }
            let more = self.section(missing, after.take(), skip, count - found.len())?;
            if skip > 0 {
                let passed = if more.is_empty() { self.count(missing)? } else { skip };
                skip = skip.saturating_sub(passed);
            }
            found.extend(more);
        }
        Ok(found)
    }

    fn section(
        &self,
        missing: bool,
        after: Option<&Standing>,
        skip: u64,
        count: usize,
    ) -> Result<Vec<Standing>> {
        if missing {
            let place = after.map_or(self.ways.1.start(), |(_, place)| *place);
            return self.stretch(Along::Missing(place), self.ways, skip, count);
        }
        let along_index = self.ways.0 == self.ways.1;
        match after {
            // As many entries are passed over as the page lies deep, so equals may as well be sorted.
            None if along_index || skip > 0 => self.stretch(Along::All, self.ways, skip, count),
            None => self.turned(Along::All, count),
            Some((Some(value), place)) if along_index => {
                self.stretch(Along::After(value, *place), self.ways, 0, count)
            }
            Some((Some(value), place)) => {
                let mut found = self.stretch(Along::Among(value, *place), self.ways, 0, count)?;
                found.extend(self.turned(Along::Beyond(value), count - found.len())?);
                Ok(found)
            }
            Some((None, _)) => Ok(vec![]),
        }
    }

    /// Values along the index, and the places of equals against it: those are turned round. The last value, of which perhaps not all were
    /// read, is read again from its other end.
    fn turned(&self, along: Along<'_>, count: usize) -> Result<Vec<Standing>> {
        let way = self.ways.0;
        let mut found = self.stretch(along, (way, way), 0, count)?;
        found.chunk_by_mut(|(a, _), (b, _)| a == b).for_each(<[_]>::reverse);
        let cut = found.len() == count;
        if let Some((Some(last), _)) = found.last().filter(|_| cut).cloned() {
            found.retain(|(value, _)| value.as_ref() != Some(&last));
            let among = Along::Among(&last, self.ways.1.start());
            found.extend(self.stretch(among, self.ways, 0, count - found.len())?);
        }
        Ok(found)
    }
}

// Their statements. Only texts written here and in the condition are put together.
impl Walk<'_> {
    fn stretch(
        &self,
        along: Along<'_>,
        ways: (Way, Way),
        skip: u64,
        count: usize,
    ) -> Result<Vec<Standing>> {
        if count == 0 {
            return Ok(vec![]);
        }
        let text = self.text(along, ways);
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

    fn text(&self, along: Along<'_>, (values, places): (Way, Way)) -> String {
        let (value, place) = self.columns();
        let number = self.value_param();
        let bounds = match along {
            Along::All => String::new(),
            Along::After(..) => {
                format!("AND ({value}, {place}) {} (?{number}, ?2)", values.beyond())
            }
            Along::Beyond(_) => format!("AND {value} {} ?{number}", values.beyond()),
            Along::Among(..) | Along::Missing(_) => {
                format!("AND {value} = ?{number} AND {place} {} ?2", places.beyond())
            }
        };
        format!(
            "SELECT {value}, {place} {} {bounds} ORDER BY {value} {}, {place} {} LIMIT ?3 OFFSET ?4",
            self.from(),
            values.order(),
            places.order()
        )
    }

    /// How many have a value, or none.
    fn count(&self, missing: bool) -> Result<u64> {
        let along = if missing { Along::Missing(0) } else { Along::All };
        let mut found = self.sql.prepare_cached(&format!("SELECT COUNT(*) {}", self.from()))?;
        let values = params_from_iter(self.values(along, 0, 0).take(found.parameter_count()));
        Ok(found.query_row(values, |row| row.get::<_, i64>(0))?.unsigned_abs())
    }

    fn columns(&self) -> (&'static str, &'static str) {
        match self.order.source {
            Source::Keys { .. } => ("k.value", "k.place"),
            Source::Column(column) => (column, "r.place"),
        }
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
            Along::After(value, place) | Along::Among(value, place) => (Some(value), place),
            Along::Beyond(value) => (Some(value), 0),
            Along::Missing(place) => (None, place),
            Along::All => (None, 0),
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
