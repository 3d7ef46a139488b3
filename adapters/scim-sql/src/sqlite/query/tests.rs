use rusqlite::params_from_iter;
use scim_core::{
    ASSIGNED, ResourceType,
    filter::{Attribute, Case, Coercion, Filter, Location, Operand, Type},
};

use super::*;
use crate::sqlite::open;

/// How SQLite finds the places that a filter selects, and what of the filter is left to look at.
fn plan(resource_type: &ResourceType, text: &str) -> (Vec<String>, Option<String>) {
    let filter: Filter = text.parse().unwrap();
    steps(resource_type, filter.bind(resource_type, &Coercion::STRICT).unwrap())
}

fn steps(resource_type: &ResourceType, filter: Bound) -> (Vec<String>, Option<String>) {
    let marks = Marks::usual();
    let sql = open::memory(&marks).unwrap();
    let mut query = Query::all(resource_type.kind().as_str(), 10);
    query.filter = Some(filter);
    let kinds = BTreeSet::from([resource_type.kind().as_str()]);
    let (condition, rest) = narrowed(&marks, &query, &kinds);
    let tenant = "acme".into();
    let statement = Statement { tenant: &tenant, kinds, ids: None, condition };
    let walks =
        statement.text("SELECT r.place FROM resource r WHERE r.tenant = ?1 AND r.place > ?2");
    let text = format!("EXPLAIN QUERY PLAN {walks} ORDER BY place LIMIT ?3 OFFSET ?4");
    let mut found = sql.prepare(&text).unwrap();
    let steps = found.query_map(params_from_iter(statement.values(0, 0, 10)), |row| row.get(3));
    let steps = steps.unwrap().map(|step| step.unwrap());
    // Versions of SQLite differ in where they make one. It changes nothing about the index that is
    // taken.
    let steps = steps.filter(|step: &String| step != "CREATE BLOOM FILTER").collect();
    (steps, rest.map(|rest| rest.to_string()))
}

/// The plans, a line each; after `rest:` what the database does not decide.
fn plans(resource_type: &ResourceType, texts: &[&str]) -> String {
    let line = |text: &&str| {
        let (steps, rest) = plan(resource_type, text);
        let rest = rest.map(|rest| format!("\n  rest: {rest}")).unwrap_or_default();
        format!("{text}\n  {}{rest}\n", steps.join("\n  "))
    };
    texts.iter().map(line).collect()
}

#[test]
fn look_ups_go_along_an_index() {
    let users = [
        r#"userName eq "Ada""#,
        r#"userName eq "Ada" or userName eq "Grace""#,
        r#"userName eq "Ada" or emails.value eq "Ada""#,
        r#"userName sw "Ada""#,
        r#"externalId eq "Ada""#,
        r#"displayName eq "Ada" and title pr"#,
        r#"id eq "Ada""#,
        r#"emails.value eq "Ada""#,
        r#"emails[type eq "work" and value eq "Ada"]"#,
        r#"groups.value eq "g1""#,
    ];
    insta::assert_snapshot!(plans(&ResourceType::user(), &users), @r#"
    userName eq "Ada"
      SEARCH r USING COVERING INDEX resource_place (tenant=? AND kind=? AND place=?)
      LIST SUBQUERY 1
      SEARCH k USING PRIMARY KEY (tenant=? AND mark=? AND value=?)
    userName eq "Ada" or userName eq "Grace"
      SEARCH r USING COVERING INDEX resource_place (tenant=? AND kind=? AND place=?)
      LIST SUBQUERY 1
      SEARCH k USING PRIMARY KEY (tenant=? AND mark=? AND value=?)
    userName eq "Ada" or emails.value eq "Ada"
      SEARCH r USING COVERING INDEX resource_place (tenant=? AND kind=? AND place=?)
      LIST SUBQUERY 2
      COMPOUND QUERY
      LEFT-MOST SUBQUERY
      SEARCH k USING PRIMARY KEY (tenant=? AND mark=? AND value=?)
      UNION ALL
      SEARCH k USING PRIMARY KEY (tenant=? AND mark=? AND value=?)
    userName sw "Ada"
      SEARCH r USING COVERING INDEX resource_place (tenant=? AND kind=? AND place=?)
      LIST SUBQUERY 1
      SEARCH k USING PRIMARY KEY (tenant=? AND mark=? AND value>? AND value<?)
    externalId eq "Ada"
      SEARCH r USING COVERING INDEX resource_place (tenant=? AND kind=? AND place=?)
      LIST SUBQUERY 1
      SEARCH k USING PRIMARY KEY (tenant=? AND mark=? AND value=?)
    displayName eq "Ada" and title pr
      SEARCH r USING COVERING INDEX resource_place (tenant=? AND kind=? AND place=?)
      LIST SUBQUERY 1
      SEARCH k USING PRIMARY KEY (tenant=? AND mark=? AND value=?)
      rest: title pr
    id eq "Ada"
      SEARCH r USING INDEX sqlite_autoindex_resource_1 (tenant=? AND id=?)
    emails.value eq "Ada"
      SEARCH r USING COVERING INDEX resource_place (tenant=? AND kind=? AND place=?)
      LIST SUBQUERY 1
      SEARCH k USING PRIMARY KEY (tenant=? AND mark=? AND value=?)
    emails[type eq "work" and value eq "Ada"]
      SEARCH r USING COVERING INDEX resource_place (tenant=? AND kind=? AND place=?)
      LIST SUBQUERY 1
      SEARCH k USING PRIMARY KEY (tenant=? AND mark=? AND value=?)
      rest: emails[type eq "work" and value eq "ada"]
    groups.value eq "g1"
      SEARCH r USING COVERING INDEX resource_id (tenant=? AND kind=? AND id=? AND place>?)
      LIST SUBQUERY 1
      SEARCH e USING PRIMARY KEY (tenant=? AND group_id=?)
      USE TEMP B-TREE FOR ORDER BY
    "#);
    insta::assert_snapshot!(plans(&ResourceType::group(), &[r#"members.value eq "u1""#]), @r#"
    members.value eq "u1"
      SEARCH r USING COVERING INDEX resource_id (tenant=? AND kind=? AND id=? AND place>?)
      LIST SUBQUERY 1
      SEARCH e USING COVERING INDEX edge_reverse (tenant=? AND member_id=?)
      USE TEMP B-TREE FOR ORDER BY
    "#);
}

#[test]
fn what_selects_much_goes_along_the_places_and_stops_at_the_end_of_the_page() {
    let users = [
        r#"active eq true"#,
        r#"meta.lastModified gt "2026-01-01T00:00:00Z""#,
        r#"userName sw "a" and not (emails.value pr)"#,
    ];
    insta::assert_snapshot!(plans(&ResourceType::user(), &users), @r#"
    active eq true
      SEARCH r USING COVERING INDEX resource_place (tenant=? AND kind=? AND place=?)
      LIST SUBQUERY 1
      SEARCH k USING PRIMARY KEY (tenant=? AND mark=? AND value=?)
    meta.lastModified gt "2026-01-01T00:00:00Z"
      SEARCH r USING INDEX resource_place (tenant=? AND kind=? AND place>?)
    userName sw "a" and not (emails.value pr)
      SEARCH r USING COVERING INDEX resource_place (tenant=? AND kind=? AND place=?)
      LIST SUBQUERY 1
      SEARCH k USING PRIMARY KEY (tenant=? AND mark=? AND value>? AND value<?)
      LIST SUBQUERY 2
      SEARCH k USING PRIMARY KEY (tenant=? AND mark=?)
    "#);
}

/// As the view of an identity provider is joined to every list.
#[test]
fn a_view_by_owner_leaves_nothing_to_look_at() {
    let owner = Location::new("owner").in_extension(ASSIGNED);
    let owner = Attribute::new(owner, Type::String).case(Case::Exact);
    let owned_by = |text: &str| Bound::Compare {
        attribute: owner.clone(),
        op: Op::Eq,
        operand: Operand::Text(text.into()),
    };
    let (steps, rest) = steps(&ResourceType::user(), owned_by("idp").or(owned_by("sso")));
    assert_eq!(rest, None);
    insta::assert_snapshot!(steps.join("\n"), @"SEARCH r USING INDEX resource_place (tenant=? AND kind=? AND place>?)");
}
