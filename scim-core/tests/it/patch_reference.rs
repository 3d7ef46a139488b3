//! PATCH as RFC 7644 §3.5.2 tells it, step by step and without a thought for speed, to hold the engine against; and the laws that any
//! PATCH obeys.

use std::collections::BTreeSet;

use proptest::{prelude::*, sample::select, test_runner::RngSeed};
use scim_core::{
    Dialect, Object, Overlay, ResourceType, ResourceTypes, ScimType,
    patch::{Limits, MemberChange, PATCH_OP, Plan, between},
    schema::{Location, USER},
    store::ResourceId,
};
use serde_json::{Map, Value, json};

use crate::targets;

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// Small in CI, as large as asked for with `SOAK=1`.
fn config(seed: u64, small: u32, whole: u32) -> ProptestConfig {
    let is_soak = std::env::var_os("SOAK").is_some_and(|set| set == "1");
    ProptestConfig {
        cases: if is_soak { whole } else { small },
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// What the standard says of one operation: the resource afterwards, or a keyword of Table 9.
fn naive(mut resource: Value, operation: &Value, creates: bool) -> Result<Value, ScimType> {
    let (op, value) = (operation["op"].as_str().unwrap(), operation.get("value"));
    let Some(path) = operation.get("path").and_then(Value::as_str) else {
        if op == "remove" {
            return Err(ScimType::NoTarget);
        }
        for (name, value) in value.unwrap().as_object().unwrap() {
            let one = json!({"op": op, "path": name, "value": value});
            resource = naive(resource, &one, creates)?;
        }
        return Ok(resource);
    };
    if path == ENTERPRISE {
        if op == "remove" {
            resource.as_object_mut().unwrap().remove(ENTERPRISE);
            return Ok(resource);
        }
        for (name, value) in value.unwrap().as_object().unwrap() {
            let one = json!({"op": op, "path": format!("{ENTERPRISE}:{name}"), "value": value});
            resource = naive(resource, &one, creates)?;
        }
        return Ok(resource);
    }
    if let Some(rest) = path.strip_prefix(ENTERPRISE).and_then(|it| it.strip_prefix(':')) {
        let one = json!({"op": op, "path": rest, "value": value});
        let mut inside = naive(resource[ENTERPRISE].take(), &one, creates)?;
        tidy(&mut inside);
        resource[ENTERPRISE] = inside;
        tidy(&mut resource);
        return Ok(resource);
    }
    if resource.is_null() {
        resource = json!({});
    }
    match path.split_once('[') {
        Some((list, rest)) => {
            let (filter, sub) = rest.split_once(']').unwrap();
            let sub = sub.strip_prefix('.');
            let mut elements = resource[list].as_array().cloned().unwrap_or_default();
            some_elements(op, &mut elements, Some(filter), sub, value, creates)?;
            resource[list] = elements.into();
        }
        None => match path.split_once('.') {
            Some(("emails", sub)) => {
                let mut elements = resource["emails"].as_array().cloned().unwrap_or_default();
                some_elements(op, &mut elements, None, Some(sub), value, false)?;
                resource["emails"] = elements.into();
            }
            Some((parent, sub)) => {
                if !resource[parent].is_object() {
                    resource[parent] = json!({});
                }
                resource[parent][sub] = value.filter(|_| op != "remove").cloned().into();
            }
            None => whole(op, &mut resource, path, value)?,
        },
    }
    tidy(&mut resource);
    Ok(resource)
}

/// An attribute as a whole.
fn whole(
    op: &str,
    resource: &mut Value,
    path: &str,
    value: Option<&Value>,
) -> Result<(), ScimType> {
    match (op, value) {
        ("remove", _) if path == "userName" => return Err(ScimType::Mutability),
        // Ours: what has a default is never without a value.
        ("remove", _) | (_, Some(Value::Null)) if path == "active" => {}
        ("remove", _) => resource[path] = Value::Null,
        // Nothing is added.
        ("add", Some(Value::Null)) => {}
        ("add", Some(Value::Array(come))) => {
            let mut elements = resource[path].as_array().cloned().unwrap_or_default();
            for item in come {
                add(&mut elements, item);
            }
            resource[path] = elements.into();
        }
        (_, Some(Value::Object(parts))) => {
            if !resource[path].is_object() {
                resource[path] = json!({});
            }
            for (name, part) in parts.iter().filter(|(_, part)| op != "add" || !part.is_null()) {
                resource[path][name] = part.clone();
            }
        }
        (_, value) => resource[path] = value.cloned().into(),
    }
    Ok(())
}

fn says(there: &Value, item: &Value) -> bool {
    match item.as_object() {
        Some(parts) => parts.iter().all(|(name, part)| there.get(name) == Some(part)),
        None => there == item,
    }
}

/// One value more, but for one that is there; one of the same `type` and `value` takes the rest.
fn add(elements: &mut Vec<Value>, item: &Value) {
    if elements.iter().any(|there| says(there, item)) {
        return;
    }
    let same = |there: &&mut Value| {
        item.get("value").is_some()
            && there.get("value") == item.get("value")
            && there.get("type") == item.get("type")
    };
    let at = match elements.iter_mut().enumerate().find(|(_, there)| same(there)) {
        Some((index, there)) => {
            for (name, part) in item.as_object().unwrap() {
                there[name] = part.clone();
            }
            index
        }
        None => {
            elements.push(item.clone());
            elements.len() - 1
        }
    };
    if item["primary"] == true {
        only_primary(elements, at);
    }
    once_each(elements);
}

fn some_elements(
    op: &str,
    elements: &mut Vec<Value>,
    filter: Option<&str>,
    sub: Option<&str>,
    value: Option<&Value>,
    creates: bool,
) -> Result<(), ScimType> {
    let terms: Vec<(&str, Value)> = filter
        .into_iter()
        .flat_map(|filter| filter.split(" and "))
        .map(|term| term.split_once(" eq ").unwrap())
        .map(|(name, literal)| (name, serde_json::from_str(literal).unwrap()))
        .collect();
    let fits = |element: &Value| {
        terms.iter().all(|(name, wanted)| match (element.get(*name), wanted) {
            (Some(Value::String(text)), Value::String(wanted)) => text.eq_ignore_ascii_case(wanted),
            (there, wanted) => there == Some(wanted),
        })
    };
    let change = |element: &mut Value| match (op, sub) {
        ("remove", None) => *element = Value::Null,
        ("remove", Some(sub)) => element[sub] = Value::Null,
        (_, Some(sub)) => element[sub] = value.unwrap().clone(),
        ("replace", None) => *element = value.unwrap().clone(),
        (_, None) => {
            for (name, part) in value.unwrap().as_object().unwrap() {
                element[name] = part.clone();
            }
        }
    };
    let mut meant: Vec<usize> =
        (0..elements.len()).filter(|index| fits(&elements[*index])).collect();
    if meant.is_empty() {
        if op == "remove" {
            return Ok(());
        }
        let mut made = json!({});
        if sub.is_some() || op == "add" {
            terms.iter().for_each(|(name, wanted)| made[*name] = wanted.clone());
        }
        change(&mut made);
        if !creates || filter.is_none() || !fits(&made) {
            return Err(ScimType::NoTarget);
        }
        meant.push(elements.len());
        elements.push(made);
    } else {
        meant.iter().for_each(|index| change(&mut elements[*index]));
    }
    if let Some(newest) = meant.iter().find(|index| elements[**index]["primary"] == true) {
        only_primary(elements, *newest);
    }
    once_each(elements);
    Ok(())
}

fn only_primary(elements: &mut [Value], newest: usize) {
    for (index, element) in elements.iter_mut().enumerate() {
        if index != newest && element["primary"] == true {
            element["primary"] = json!(false);
        }
    }
    elements.iter_mut().for_each(tidy);
}

fn once_each(elements: &mut Vec<Value>) {
    let mut kept: Vec<Value> = vec![];
    for mut element in std::mem::take(elements) {
        tidy(&mut element);
        if !kept.contains(&element) {
            kept.push(element);
        }
    }
    kept.retain(|element| !element.is_null() && *element != json!({}));
    *elements = kept;
}

/// What is null or empty is not there.
fn tidy(value: &mut Value) {
    if let Value::Object(members) = value {
        members.values_mut().for_each(tidy);
        members.retain(|_, it| !it.is_null() && *it != json!([]) && *it != json!({}));
    }
}

const TEXTS: [&str; 4] = ["a", "b", "A", "c"];

fn word() -> BoxedStrategy<Value> {
    select(TEXTS.to_vec()).prop_map(Value::from).boxed()
}

fn some_of(parts: Vec<(&'static str, BoxedStrategy<Value>)>) -> BoxedStrategy<Value> {
    let parts: Vec<_> = parts
        .into_iter()
        .map(|(name, value)| {
            prop::option::of(value).prop_map(move |it| it.map(|it| (name.to_owned(), it)))
        })
        .collect();
    parts
        .prop_map(|parts| Value::Object(parts.into_iter().flatten().collect::<Map<_, _>>()))
        .boxed()
}

fn email() -> BoxedStrategy<Value> {
    some_of(vec![
        ("value", word()),
        ("type", word()),
        ("display", word()),
        ("primary", any::<bool>().prop_map(Value::from).boxed()),
    ])
    .prop_filter("not empty", |it| it.as_object().is_some_and(|it| !it.is_empty()))
    .boxed()
}

fn emails(sizes: std::ops::Range<usize>) -> BoxedStrategy<Value> {
    prop::collection::vec(email(), sizes)
        .prop_map(|mut elements| {
            if let Some(first) = elements.iter().position(|it| it["primary"] == true) {
                only_primary(&mut elements, first);
            }
            once_each(&mut elements);
            elements.into()
        })
        .boxed()
}

fn name() -> BoxedStrategy<Value> {
    some_of(vec![("givenName", word()), ("familyName", word())])
        .prop_filter("not empty", |it| *it != json!({}))
        .boxed()
}

fn user() -> BoxedStrategy<Value> {
    let extension = some_of(vec![
        ("costCenter", word()),
        ("manager", word().prop_map(|id| json!({"value": id})).boxed()),
    ]);
    some_of(vec![
        ("title", word()),
        ("active", any::<bool>().prop_map(Value::from).boxed()),
        ("name", name()),
        ("emails", emails(0..5)),
        (ENTERPRISE, extension),
    ])
    .prop_map(|mut user| {
        user["userName"] = json!("ada");
        tidy(&mut user);
        user
    })
    .boxed()
}

/// Users where a text, a part, a list and attributes of the extension have defaults, and `active` as ever.
fn with_defaults() -> ResourceType {
    let word = || json!("a");
    ResourceType::user()
        .with(Overlay::Default(USER, "title", word()))
        .with(Overlay::Default(USER, "name.givenName", word()))
        .with(Overlay::Default(USER, "emails", json!([{"value": "a"}])))
        .with(Overlay::Default(ENTERPRISE, "costCenter", word()))
        .with(Overlay::Default(ENTERPRISE, "manager.value", word()))
}

fn defaulted() -> [Location; 6] {
    let given = Location::new("name").with_sub("givenName");
    let centre = Location::new("costCenter").in_extension(ENTERPRISE);
    let manager = Location::new("manager").with_sub("value").in_extension(ENTERPRISE);
    let [title, emails, active] = ["title", "emails", "active"].map(Location::new);
    [title, emails, active, given, centre, manager]
}

fn filter() -> BoxedStrategy<String> {
    let term = prop_oneof![
        3 => (select(vec!["value", "type", "display"]), select(TEXTS.to_vec()))
            .prop_map(|(name, text)| format!("{name} eq \"{text}\"")),
        1 => Just("primary eq true".to_owned()),
    ];
    prop::collection::vec(term, 1..3).prop_map(|terms| terms.join(" and ")).boxed()
}

fn operation() -> BoxedStrategy<Value> {
    let target = prop_oneof![
        1 => word().prop_map(|it| (Some("title".to_owned()), it)),
        1 => any::<bool>().prop_map(|it| (Some("active".to_owned()), it.into())),
        1 => name().prop_map(|it| (Some("name".to_owned()), it)),
        1 => word().prop_map(|it| (Some("name.givenName".to_owned()), it)),
        3 => emails(1..4).prop_map(|it| (Some("emails".to_owned()), it)),
        2 => (filter(), email()).prop_map(|(filter, it)| (Some(format!("emails[{filter}]")), it)),
        2 => (filter(), select(vec!["value", "type", "display"]), word())
            .prop_map(|(filter, sub, it)| (Some(format!("emails[{filter}].{sub}")), it)),
        1 => (filter(), any::<bool>())
            .prop_map(|(filter, it)| (Some(format!("emails[{filter}].primary")), it.into())),
        1 => (select(vec!["type", "display"]), word())
            .prop_map(|(sub, it)| (Some(format!("emails.{sub}")), it)),
        1 => word().prop_map(|it| (Some(format!("{ENTERPRISE}:costCenter")), it)),
        1 => word().prop_map(|it| (Some(format!("{ENTERPRISE}:manager.value")), it)),
        1 => word().prop_map(|it| (Some(ENTERPRISE.to_owned()), json!({"costCenter": it}))),
        1 => Just((Some(ENTERPRISE.to_owned()), json!({"costCenter": null, "manager": null}))),
        1 => Just((None, json!({"title": null, "name": {"givenName": null}, "active": null}))),
        1 => (word(), emails(1..3)).prop_map(|(title, emails)| (None, json!({"title": title, "emails": emails}))),
        1 => word().prop_map(|it| (Some("userName".to_owned()), it)),
    ];
    (select(vec!["add", "replace", "remove"]), target)
        .prop_map(|(op, (path, value))| {
            let mut operation = json!({"op": op});
            if let Some(path) = path {
                operation["path"] = path.into();
            }
            if op != "remove" {
                operation["value"] = value;
            }
            operation
        })
        .boxed()
}

fn compiled(of: &ResourceType, operations: &[Value], dialect: &Dialect) -> Result<Plan, ScimType> {
    let body = json!({"schemas": [PATCH_OP], "Operations": operations});
    let plan = Plan::compile(of, body, dialect, &Limits::default());
    plan.map_err(|error| error.scim_type.unwrap())
}

fn object(value: &Value) -> Object {
    serde_json::from_value(value.clone()).unwrap()
}

proptest! {
    #![proptest_config(config(0x5c1_0101, 8_192, 1_000_000))]

    // sec:P-12 sec:P-05 sec:P-11

    /// The engine does what the standard says, operation by operation; and of a list, no two elements are primary.
    // rfc:PAT-29 rfc:PAT-39 rfc:PAT-43 rfc:PAT-44
    #[test]
    fn the_engine_equals_the_standard(user in user(), operations in prop::collection::vec(operation(), 1..5), creates in any::<bool>()) {
        let of = ResourceType::user();
        let dialect = if creates { Dialect::TOLERANT } else { Dialect::STRICT };
        let expected = operations.iter().try_fold(user.clone(), |it, one| naive(it, one, creates));
        let plan = compiled(&of, &operations, &dialect);
        let after = plan.and_then(|plan| plan.apply(&object(&user)).map_err(|it| it.scim_type.unwrap()));
        let after = after.map(|patched| Value::from(patched.after));
        if let (Err(_), Err(_)) = (&after, &expected) {
            // The engine refuses what it can before it begins, so that it may meet another one first.
            return Ok(());
        }
        prop_assert_eq!(&after, &expected, "{} {:?}", user, operations);
        let emails = after.unwrap()["emails"].as_array().cloned().unwrap_or_default();
        prop_assert!(emails.iter().filter(|it| it["primary"] == true).count() <= 1);
    }
}

proptest! {
    #![proptest_config(config(0x5c1_0102, 2_048, 100_000))]

    /// Laws of one operation and of several, in any dialect: see `targets::patched` for those of every plan.
    #[test]
    fn laws(user in user(), operations in prop::collection::vec(operation(), 0..5), bits in any::<u16>(), defaults in any::<bool>()) {
        let of = if defaults { with_defaults() } else { ResourceType::user() };
        let types = ResourceTypes::new(vec![of.clone()]).unwrap();
        let before = object(&user);
        for dialect in [Dialect::TOLERANT, Dialect::STRICT, targets::dialect(bits)] {
            // The empty plan.
            let nothing = Dialect { allow_no_operations: true, ..dialect.clone() };
            let nothing = compiled(&of, &[], &nothing).unwrap().apply(&before).unwrap();
            prop_assert!(!nothing.changed && nothing.after == before);
            if let Ok(plan) = compiled(&of, &operations, &dialect) {
                targets::patched(&types, &of, &before, &plan, &dialect);
            }
            // Again is as once: replace, remove, and add.
            for one in &operations {
                let Ok(plan) = compiled(&of, std::slice::from_ref(one), &dialect) else { continue };
                let Some(once) = targets::patched(&types, &of, &before, &plan, &dialect) else { continue };
                match plan.apply(&once) {
                    Ok(twice) => prop_assert!(!twice.changed, "{} {} {:?}", user, one, twice.after),
                    Err(error) => prop_assert_eq!(error.scim_type, Some(ScimType::NoTarget)),
                }
            }
        }
    }

    /// From any resource to any other.
    #[test]
    fn differences_lead(before in user(), after in user()) {
        for of in [ResourceType::user(), with_defaults()] {
            targets::leads(&of, &object(&before), &object(&after));
        }
    }

    /// What has a default has a value after any PATCH, where it had one before.
    #[test]
    fn defaults_stay(user in user(), operations in prop::collection::vec(operation(), 1..5)) {
        let (of, before) = (with_defaults(), object(&user));
        for dialect in [Dialect::TOLERANT, Dialect::STRICT] {
            let Ok(plan) = compiled(&of, &operations, &dialect) else { continue };
            let Ok(patched) = plan.apply(&before) else { continue };
            for at in defaulted() {
                let has = |object: &Object| object.at(&at).is_some();
                prop_assert!(has(&patched.after) || !has(&before), "{} of {} {:?}", at, user, operations);
            }
        }
    }
}

fn member_operation() -> BoxedStrategy<Value> {
    let ids = prop::collection::vec(0..6_u8, 0..4);
    (select(vec!["add", "replace", "remove", "filtered", "all"]), ids)
        .prop_map(|(op, ids)| {
            let listed: Vec<Value> =
                ids.iter().map(|id| json!({"value": id.to_string()})).collect();
            let filter: Vec<_> = ids.iter().map(|id| format!("value eq \"{id}\"")).collect();
            match op {
                "filtered" if !ids.is_empty() => {
                    json!({"op": "remove", "path": format!("members[{}]", filter.join(" or "))})
                }
                "filtered" | "all" => json!({"op": "remove", "path": "members"}),
                op => json!({"op": op, "path": "members", "value": listed}),
            }
        })
        .boxed()
}

/// The members after an operation on the full list.
fn on_the_list(members: &mut BTreeSet<String>, operation: &Value) {
    let listed = |value: &Value| -> Vec<String> {
        let listed = value.as_array().into_iter().flatten();
        listed.map(|it| it["value"].as_str().unwrap().to_owned()).collect()
    };
    let path = operation["path"].as_str().unwrap();
    match (operation["op"].as_str().unwrap(), operation.get("value")) {
        ("add", Some(value)) => members.extend(listed(value)),
        ("replace", Some(value)) => *members = listed(value).into_iter().collect(),
        (_, Some(value)) => listed(value).iter().for_each(|id| _ = members.remove(id)),
        (_, None) if path == "members" => members.clear(),
        (_, None) => members.retain(|id| !path.contains(&format!("\"{id}\""))),
    }
}

proptest! {
    #![proptest_config(config(0x5c1_0103, 4_096, 100_000))]

    // sec:P-04

    /// Who comes and goes, applied as sets to the members that are there, is what the operations make of the full list.
    #[test]
    fn members_apart_are_members_together(
        there in prop::collection::btree_set((0..6_u8).prop_map(|id| id.to_string()), 0..6),
        operations in prop::collection::vec(member_operation(), 0..6),
        to in prop::collection::btree_set(0..6_u8, 0..6),
        most in 1..4_usize,
    ) {
        let of = ResourceType::group();
        let plan = compiled(&of, &operations, &Dialect::TOLERANT).unwrap();
        prop_assert!(plan.is_members_only());
        let change = MemberChange::of(plan.members(), |_| vec![]);
        let mut expected = there.clone();
        operations.iter().for_each(|one| on_the_list(&mut expected, one));
        prop_assert_eq!(applied(&there, &change), expected);

        // And a difference, in parts of a size that a provider takes.
        let group = |ids: &BTreeSet<String>| {
            let members: Vec<_> = ids.iter().map(|id| json!({"value": id})).collect();
            json!({"displayName": "team", "members": members})
        };
        let to: BTreeSet<String> = to.iter().map(ToString::to_string).collect();
        let mut now = there.clone();
        for request in between(&of, &group(&there), &group(&to)).unwrap().requests(most) {
            let plan = compiled(&of, &request, &Dialect::STRICT).unwrap();
            let change = MemberChange::of(plan.members(), |_| vec![]);
            prop_assert!(!change.exactly && change.add.len() + change.remove.len() <= most);
            now = applied(&now, &change);
        }
        prop_assert_eq!(now, to);
    }
}

fn applied(there: &BTreeSet<String>, change: &MemberChange) -> BTreeSet<String> {
    let mut now = if change.exactly { BTreeSet::new() } else { there.clone() };
    change.remove.iter().map(ResourceId::as_str).for_each(|id| _ = now.remove(id));
    now.extend(change.add.iter().map(|member| member.id.as_str().to_owned()));
    now
}
