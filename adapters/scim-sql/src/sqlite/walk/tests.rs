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
    let sort = Sort::new(Ends::Ascending).with_attribute("User", by);
    let order = Order::of(&marks, "User", &sort, Part::Sent).unwrap();
    let tenant: Tenant = "acme".into();
    let of = Statement::over(&tenant, BTreeSet::from(["User"]));
    let value = if order.is_text() { Value::Text("a".to_owned()) } else { Value::Number(1) };
    let (up, down) = ((Way::Rising, Way::Rising), (Way::Falling, Way::Falling));
    let mut lines = String::new();
    for (name, along, ways) in [
        ("all", Along::All, up),
        ("all, down", Along::All, down),
        ("after", Along::After(&value, 7), up),
        ("after, down", Along::After(&value, 7), down),
        ("beyond", Along::Beyond(&value), up),
        ("beyond, down", Along::Beyond(&value), down),
        ("among, places up", Along::Among(&value, 7), (Way::Falling, Way::Rising)),
        ("among, places down", Along::Among(&value, 7), (Way::Rising, Way::Falling)),
        ("missing", Along::Missing(7), up),
        ("missing, down", Along::Missing(7), down),
    ] {
        if matches!(along, Along::Missing(_)) && !order.may_miss() {
            continue;
        }
        let walk = Walk { sql: &sql, of: &of, kind: 0, order: &order, ways };
        let text = format!("EXPLAIN QUERY PLAN {}", walk.text(along, ways));
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
    all: SEARCH k USING PRIMARY KEY (tenant=? AND mark=?)
    all, down: SEARCH k USING PRIMARY KEY (tenant=? AND mark=?)
    after: SEARCH k USING PRIMARY KEY (tenant=? AND mark=? AND (value,place)>(?,?))
    after, down: SEARCH k USING PRIMARY KEY (tenant=? AND mark=? AND (value,place)<(?,?))
    beyond: SEARCH k USING PRIMARY KEY (tenant=? AND mark=? AND value>?)
    beyond, down: SEARCH k USING PRIMARY KEY (tenant=? AND mark=? AND value<?)
    among, places up: SEARCH k USING PRIMARY KEY (tenant=? AND mark=? AND value=? AND place>?)
    among, places down: SEARCH k USING PRIMARY KEY (tenant=? AND mark=? AND value=? AND place<?)
    missing: SEARCH k USING PRIMARY KEY (tenant=? AND mark=? AND value=? AND place>?)
    missing, down: SEARCH k USING PRIMARY KEY (tenant=? AND mark=? AND value=? AND place<?)
    ");
    let active = Attribute::new(Location::new("active"), Type::Boolean);
    insta::assert_snapshot!(plans(active), @"
    all: SEARCH k USING PRIMARY KEY (tenant=? AND mark=?)
    all, down: SEARCH k USING PRIMARY KEY (tenant=? AND mark=?)
    after: SEARCH k USING PRIMARY KEY (tenant=? AND mark=? AND (value,place)>(?,?))
    after, down: SEARCH k USING PRIMARY KEY (tenant=? AND mark=? AND (value,place)<(?,?))
    beyond: SEARCH k USING PRIMARY KEY (tenant=? AND mark=? AND value>?)
    beyond, down: SEARCH k USING PRIMARY KEY (tenant=? AND mark=? AND value<?)
    among, places up: SEARCH k USING PRIMARY KEY (tenant=? AND mark=? AND value=? AND place>?)
    among, places down: SEARCH k USING PRIMARY KEY (tenant=? AND mark=? AND value=? AND place<?)
    missing: SEARCH k USING PRIMARY KEY (tenant=? AND mark=? AND value=? AND place>?)
    missing, down: SEARCH k USING PRIMARY KEY (tenant=? AND mark=? AND value=? AND place<?)
    ");
    let id = Attribute::new(Location::new("id"), Type::String).case(Case::Exact);
    insta::assert_snapshot!(plans(id), @"
    all: SEARCH r USING COVERING INDEX resource_id (tenant=? AND kind=?)
    all, down: SEARCH r USING COVERING INDEX resource_id (tenant=? AND kind=?)
    after: SEARCH r USING COVERING INDEX resource_id (tenant=? AND kind=? AND (id,place)>(?,?))
    after, down: SEARCH r USING COVERING INDEX resource_id (tenant=? AND kind=? AND (id,place)<(?,?))
    beyond: SEARCH r USING COVERING INDEX resource_id (tenant=? AND kind=? AND id>?)
    beyond, down: SEARCH r USING COVERING INDEX resource_id (tenant=? AND kind=? AND id<?)
    among, places up: SEARCH r USING INDEX sqlite_autoindex_resource_1 (tenant=? AND id=?)
    among, places down: SEARCH r USING INDEX sqlite_autoindex_resource_1 (tenant=? AND id=?)
    ");
    let changed = Location::new("meta").with_sub("lastModified");
    insta::assert_snapshot!(plans(Attribute::new(changed, Type::DateTime)), @"
    all: SEARCH r USING COVERING INDEX resource_last_modified (tenant=? AND kind=?)
    all, down: SEARCH r USING COVERING INDEX resource_last_modified (tenant=? AND kind=?)
    after: SEARCH r USING COVERING INDEX resource_last_modified (tenant=? AND kind=? AND (last_modified,place)>(?,?))
    after, down: SEARCH r USING COVERING INDEX resource_last_modified (tenant=? AND kind=? AND (last_modified,place)<(?,?))
    beyond: SEARCH r USING COVERING INDEX resource_last_modified (tenant=? AND kind=? AND last_modified>?)
    beyond, down: SEARCH r USING COVERING INDEX resource_last_modified (tenant=? AND kind=? AND last_modified<?)
    among, places up: SEARCH r USING COVERING INDEX resource_last_modified (tenant=? AND kind=? AND last_modified=? AND place>?)
    among, places down: SEARCH r USING COVERING INDEX resource_last_modified (tenant=? AND kind=? AND last_modified=? AND place<?)
    ");
}
