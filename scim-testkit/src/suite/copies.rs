//! Filters and orders over values that are copied along memberships: whatever of them a reader wants, they compare what a copy shows.

use scim_core::{
    ASSIGNED,
    filter::{Attribute, Bound, Case, Location, Op, Operand, Type},
    store::{
        Candidate, Contents, Copied, Copies, Direction, EDGES, MemberId, Members, Order, Paging,
        Query, Sort, Store, StoreError, Want, page_of,
    },
};
use serde_json::json;

use super::{
    filters::walk,
    pages::ids,
    setting::{GROUP, Org, USER, acme, but, create, object, sent, with_members},
};

type Shown = Result<(), StoreError>;

/// What stands in a membership, and of which type it is.
const PARTS: [(&str, Type, Case); 7] = [
    ("display", Type::String, Case::Folded),
    ("posixName", Type::String, Case::Exact),
    ("uid", Type::Integer, Case::Folded),
    ("active", Type::Boolean, Case::Folded),
    ("$ref", Type::Reference, Case::Exact),
    ("type", Type::String, Case::Folded),
    ("value", Type::String, Case::Exact),
];

/// The copies along one direction. Two have one name, for resources of different kinds.
fn copied() -> Vec<Copied> {
    let kept = |name: &str| Copied::assigned(name, Location::new(name).in_extension(ASSIGNED));
    let uris = [(USER, "https://x/Users"), (GROUP, "https://x/Groups")];
    vec![
        Copied::sent("display", &["displayName", "userName"]).with_holder(GROUP.into()),
        Copied::sent("display", &["externalId"]).with_holder(USER.into()),
        Copied::sent("active", &["active"]),
        kept("posixName"),
        kept("uid"),
        Copied::uri("$ref", uris.map(|(kind, uri)| (kind.into(), uri.to_owned())).to_vec()),
    ]
}

/// All memberships, with all copies.
fn whole() -> Want {
    Want { members: Some(copied()), member_of: Some(copied()) }
}

/// What readers want beside what they compare: nothing, everything, or another copy under a name that is compared.
fn wants() -> [Want; 3] {
    let other = || Some(vec![Copied::sent("display", &["none", "externalId"])]);
    [Want::DOCUMENTS, whole(), Want { members: other(), member_of: other() }]
}

fn asking(kinds: &[&str]) -> Query {
    but(Query::of(kinds.iter().map(|kind| (*kind).into()).collect(), usize::MAX), |it| {
        let mut copies = Copies::default();
        (copies.members, copies.member_of) = (copied(), copied());
        it.copies = copies;
    })
}

/// The parts of memberships, and the kinds of the resources that are asked for by them.
fn attributes() -> impl Iterator<Item = (Attribute, &'static [&'static str])> {
    let sides: [(&str, &[&str]); 4] = [
        ("members", &[GROUP]),
        ("memberOf", &[USER]),
        ("members", &[USER, GROUP]),
        ("memberOf", &[USER, GROUP]),
    ];
    sides.into_iter().flat_map(|(direction, kinds)| {
        PARTS.map(|(name, kind, case)| {
            let at = Location::new(direction).in_extension(EDGES).with_sub(name);
            (Attribute::new(at, kind).multi_valued().case(case), kinds)
        })
    })
}

/// Values that some copies have and some have not.
fn operands(attribute: &Attribute) -> Vec<Operand> {
    let texts: &[&str] = match (attribute.kind, attribute.location.sub.as_deref()) {
        (Type::Integer, _) => return vec![Operand::Integer(4), Operand::Decimal(4.5)],
        (Type::Boolean, _) => return vec![Operand::Boolean(true), Operand::Boolean(false)],
        (Type::Reference, _) => &["https://x/Users/id4", "https://x/Groups/n3"],
        (_, Some("type")) => &["User", "direct"],
        (_, Some("value")) => &["id4", "n3"],
        _ => &["Ωμέγα", "Group 5"],
    };
    let key = |text: &&str| Operand::Text(attribute.case.key(text).into());
    texts.iter().map(key).collect()
}

/// Each operator that the type knows, and presence.
fn terms(attribute: &Attribute) -> Vec<Bound> {
    let ops: &[Op] = match attribute.kind {
        Type::Boolean => &[Op::Eq, Op::Ne],
        Type::Integer => &[Op::Eq, Op::Ne, Op::Gt, Op::Ge, Op::Lt, Op::Le],
        _ => &[Op::Eq, Op::Ne, Op::Co, Op::Sw, Op::Ew, Op::Gt, Op::Ge, Op::Lt, Op::Le],
    };
    let compare = |op: Op, operand| Bound::Compare { attribute: attribute.clone(), op, operand };
    let compared = ops.iter().flat_map(|op| {
        operands(attribute).into_iter().map(|operand| compare(*op, operand)).collect::<Vec<_>>()
    });
    compared.chain([Bound::Present(attribute.clone())]).collect()
}

/// A term by itself, in a value path and beside another term there, each with its opposite.
fn forms(term: &Bound, attribute: &Attribute) -> Vec<Bound> {
    let list = Attribute::new(attribute.location.parent(), Type::Complex).multi_valued();
    let value = attribute.location.parent().with_sub("value");
    let value = Attribute::new(value, Type::String).multi_valued().case(Case::Exact);
    let named = Bound::Compare { attribute: value, op: Op::Co, operand: Operand::Text("1".into()) };
    let element = |filter: Bound| Bound::element(list.clone(), filter);
    let each = [
        term.clone(),
        element(term.clone()),
        element(term.clone().negated()),
        element(term.clone().and(named)),
    ];
    each.iter().flat_map(|form| [form.clone(), form.clone().negated()]).collect()
}

impl Org<'_> {
    /// The corpus, in groups of different sizes that hold each other.
    async fn connect(&self) -> Result<(), StoreError> {
        self.fill().await?;
        for number in 0..9_i64 {
            let name = format!("Group {}", number * 5 % 9);
            let named = sent(&json!({ "displayName": name, "externalId": number.to_string() }));
            let kept = json!({ ASSIGNED: { "posixName": name, "uid": number } });
            let assigned = object(&if number % 3 > 0 { kept } else { json!({}) });
            let contents = Contents { assigned, ..named };
            self.commit(100, [create(GROUP, &format!("n{number}"), contents)]).await?;
        }
        let member =
            |kind: &str, id: String| MemberId { kind: kind.into(), id: id.as_str().into() };
        let users = |step| (0..26).step_by(step).map(move |n| member(USER, format!("id{n}")));
        let groups = |ids: &[u8]| ids.iter().map(|n| member(GROUP, format!("n{n}"))).collect();
        let mut listed: Vec<Vec<MemberId>> = vec![vec![], users(9).collect(), groups(&[7, 1])];
        listed.extend([2, 3, 5, 7, 11].map(|step| users(step).collect()));
        listed.push([groups(&[2, 3]), users(13).collect::<Vec<_>>()].concat());
        for (members, number) in listed.into_iter().zip(0..) {
            let members = Members::Exactly(members);
            self.commit(101, [with_members(&format!("n{number}"), members)]).await?;
        }
        Ok(())
    }

    /// The resources of these kinds, read one by one with all copies, in order of creation.
    async fn candidates(&self, kinds: &[&str]) -> Result<Vec<Candidate>, StoreError> {
        let mut all = vec![];
        for (found, place) in self.query(&asking(kinds)).await?.resources.iter().zip(1..) {
            let read = self.find(found.kind.as_str(), found.id.as_str(), &whole()).await?;
            all.extend(read.map(|read| (place, read)));
        }
        Ok(all)
    }

    /// Asks the store and the model, and whether a page carries what is wanted and nothing else.
    async fn compares(&self, all: &[Candidate], query: &Query) -> Result<u64, StoreError> {
        let page = self.query(query).await?;
        let end = page.end;
        let expected = page_of(all.to_vec(), query, end, Ok)?;
        assert_eq!((ids(&page), page.total), (ids(&expected), expected.total), "{query:?}");
        if let Some(found) = page.resources.last() {
            let read = self.find(found.kind.as_str(), found.id.as_str(), &query.want).await?;
            let edges = read.map(|read| (read.members, read.member_of));
            assert_eq!(Some((found.members.clone(), found.member_of.clone())), edges, "{query:?}");
        }
        Ok(page.total)
    }
}

/// Each operator on each copy, in both directions, in value paths, with `not`, over one kind and over several, whatever is wanted.
pub async fn filters_compare_copies(store: &dyn Store) -> Shown {
    let org = acme(store);
    org.connect().await?;
    let (mut told, mut turn) = (0, 0);
    for (attribute, kinds) in attributes() {
        let all = org.candidates(kinds).await?;
        // All terms in all forms over all kinds would take minutes: one form for each, and fewer over several kinds.
        for term in terms(&attribute).into_iter().step_by(2 * kinds.len() - 1) {
            let filter = forms(&term, &attribute).into_iter().cycle().nth(turn);
            let want = wants().into_iter().cycle().nth(turn).unwrap_or_default();
            let query = but(asking(kinds), |it| (it.filter, it.want) = (filter, want));
            let total = org.compares(&all, &query).await?;
            told += u32::from((1..all.len() as u64).contains(&total));
            turn += 1;
        }
        turn += 1;
    }
    assert!(told > 140, "only {told} of {turn} filters tell resources apart");
    Ok(())
}

/// By each copy, both ways, by index and from key to key, whatever is wanted.
pub async fn orders_compare_copies(store: &dyn Store) -> Shown {
    let org = acme(store);
    org.connect().await?;
    for (by, kinds) in attributes() {
        let all = org.candidates(kinds).await?;
        for (order, direction) in
            [(Order::Ascending, Direction::Backward), (Order::Descending, Direction::Forward)]
        {
            let sort = kinds.iter().fold(Sort::new(order), |sort, kind| {
                // Of several kinds, the last has no value.
                match kinds.len() > 1 && *kind == GROUP {
                    true => sort,
                    false => sort.with_attribute(*kind, by.clone()),
                }
            });
            let sort = Some(sort);
            for want in wants() {
                let query = but(asking(kinds), |it| (it.sort, it.want) = (sort.clone(), want));
                org.compares(&all, &query).await?;
            }
            let query = but(asking(kinds), |it| (it.sort, it.direction) = (sort, direction));
            org.compares(&all, &query).await?;
            let paging = Paging::Index { start: 3, count: 4 };
            org.compares(&all, &but(query.clone(), |it| it.paging = paging)).await?;
            let page = org.query(&query).await?;
            assert_eq!(walk(&org, query.clone()).await?, ids(&page), "{query:?}");
        }
    }
    Ok(())
}
