use std::collections::BTreeSet;

use scim_core::{
    filter::{Attribute, Case, Location, Type},
    store::{Part, Sort, Tenant},
};

use super::*;
use crate::{index::Marks, sqlite::open};

/// How SQLite goes along each stretch of an order, a line each.
fn plans(by: Attribute) -> String {
    let marks = Marks::usual();
    let sql = open::memory(&marks).unwrap();
    let sort = Sort { by, order: Ends::Ascending };
    let order = Order::of(&marks, "User", &sort, Part::Sent).unwrap();
    let tenant: Tenant = "acme".into();
    let of = Statement::over(&tenant, BTreeSet::from(["User"]));
    let walk = Walk { sql: &sql, of: &of, kind: 0, order: &order };
    let value = if order.is_text() { Value::Text("a".to_owned()) } else { Value::Number(1) };
    let mut lines = String::new();
    for (name, along) in [
        ("rising", Along::Rising),
        ("rising from", Along::RisingFrom(&value, 7)),
        ("falling back", Along::FallingBack),
        ("falling below", Along::FallingBelow(&value)),
        ("among", Along::Among(&value, 7)),
        ("missing", Along::Missing(7)),
    ] {
        if name == "missing" && !order.may_miss() {
            continue;
        }
        let text = format!("EXPLAIN QUERY PLAN {}", walk.text(along));
        let mut found = sql.prepare(&text).unwrap();
        let values = params_from_iter(walk.values(along, 0, 10));
        let steps = found.query_map(values, |row| row.get::<_, String>(3)).unwrap();
        let steps: Vec<_> = steps.map(|step| step.unwrap()).collect();
        lines += &format!("{name}: {}\n", steps.join(", "));
    }
    lines
}

/// Index entries alone, no table, and nothing sorted.
#[test]
fn pages_of_an_order_are_read_from_its_index() {
    let name = Attribute::new(Location::new("userName"), Type::String).case(Case::Name);
    insta::assert_snapshot!(plans(name), @"
    rising: SEARCH k USING PRIMARY KEY (tenant=? AND mark=?)
    rising from: SEARCH k USING PRIMARY KEY (tenant=? AND mark=? AND (value,place)>(?,?))
    falling back: SEARCH k USING PRIMARY KEY (tenant=? AND mark=?)
    falling below: SEARCH k USING PRIMARY KEY (tenant=? AND mark=? AND value<?)
    among: SEARCH k USING PRIMARY KEY (tenant=? AND mark=? AND value=? AND place>?)
    missing: SEARCH k USING PRIMARY KEY (tenant=? AND mark=? AND value=? AND place>?)
    ");
    let active = Attribute::new(Location::new("active"), Type::Boolean);
    insta::assert_snapshot!(plans(active), @"
    rising: SEARCH k USING PRIMARY KEY (tenant=? AND mark=?)
    rising from: SEARCH k USING PRIMARY KEY (tenant=? AND mark=? AND (value,place)>(?,?))
    falling back: SEARCH k USING PRIMARY KEY (tenant=? AND mark=?)
    falling below: SEARCH k USING PRIMARY KEY (tenant=? AND mark=? AND value<?)
    among: SEARCH k USING PRIMARY KEY (tenant=? AND mark=? AND value=? AND place>?)
    missing: SEARCH k USING PRIMARY KEY (tenant=? AND mark=? AND value=? AND place>?)
    ");
    let id = Attribute::new(Location::new("id"), Type::String).case(Case::Exact);
    insta::assert_snapshot!(plans(id), @"
    rising: SEARCH r USING COVERING INDEX resource_id (tenant=? AND kind=?)
    rising from: SEARCH r USING COVERING INDEX resource_id (tenant=? AND kind=? AND (id,place)>(?,?))
    falling back: SEARCH r USING COVERING INDEX resource_id (tenant=? AND kind=?)
    falling below: SEARCH r USING COVERING INDEX resource_id (tenant=? AND kind=? AND id<?)
    among: SEARCH r USING INDEX sqlite_autoindex_resource_1 (tenant=? AND id=?)
    ");
    let changed = Location::new("meta").with_sub("lastModified");
    insta::assert_snapshot!(plans(Attribute::new(changed, Type::DateTime)), @"
    rising: SEARCH r USING COVERING INDEX resource_last_modified (tenant=? AND kind=?)
    rising from: SEARCH r USING COVERING INDEX resource_last_modified (tenant=? AND kind=? AND (last_modified,place)>(?,?))
    falling back: SEARCH r USING COVERING INDEX resource_last_modified (tenant=? AND kind=?)
    falling below: SEARCH r USING COVERING INDEX resource_last_modified (tenant=? AND kind=? AND last_modified<?)
    among: SEARCH r USING COVERING INDEX resource_last_modified (tenant=? AND kind=? AND last_modified=? AND place>?)
    ");
}
