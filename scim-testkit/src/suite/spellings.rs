//! Values with several spellings: names, labels, references to resources and bytes are compared by
//! what they stand for.

use scim_core::{
    ResourceType,
    filter::{
        AttrPath, Attribute, Bound, Case, Coercion, Filter, Literal, Location, Resolution, Resolve,
        Type,
    },
    store::{Order, Part, Query, Readable, Resource, Sort, Store, StoreError, page_of},
};
use serde_json::{Value, json};

use super::{
    pages::ids,
    setting::{GROUP, Org, USER, acme, but, create, sent, update},
};

type Shown = Result<(), StoreError>;

/// Names of which some are one name, of people, of groups or of both.
const NAMES: [&str; 20] = [
    "ann lee",
    " Ann  Lee ",
    "ANN\u{a0}LEE\u{3000}",
    "annlee",
    "Ann Leeds",
    "joann lee",
    "ann",
    "Ann ",
    "ΟΔΟΣ",
    "οδος",
    "ᏣᎳᎩ",
    "ꮳꮃꭹ",
    "data\u{200d}team",
    "DataTeam\u{fe0f}",
    "data team\u{3164}",
    "\u{2003}Data Team",
    "¨b",
    "\u{308}B",
    "  ",
    "\u{200d}",
];

/// References and bytes, of which some stand for the same.
const OTHERS: [(&str, &str); 7] = [
    ("https://a.example/v2/Users/1", "QUJDRA=="),
    ("../Users/1", "QUJ\r\nDRA"),
    ("https://b.example/Users/1", "QUJDRB=="),
    ("https://a.example/v1/Users/2", "_-8="),
    ("https://a.example/v2/Users/2", "/+9"),
    ("Users", "/+8A"),
    ("https://a.example/v1/users/1", ""),
];

/// Users and groups of these names, each user also with a reference of both sorts and bytes.
async fn fill(org: Org<'_>) -> Shown {
    for (number, name) in NAMES.iter().enumerate() {
        let (at, id) = (i64::try_from(number).unwrap_or(0), format!("{number:02}"));
        let user = match OTHERS.get(number) {
            None => json!({ "userName": name }),
            Some((uri, bytes)) => {
                json!({ "userName": name, "boss": [uri], "site": [uri], "badge": [bytes] })
            }
        };
        let group = json!({ "displayName": name });
        let writes = [
            create(USER, &format!("u{id}"), sent(&user)),
            create(GROUP, &format!("g{id}"), sent(&group)),
        ];
        org.commit(at, writes).await?;
    }
    Ok(())
}

/// An attribute of each sort, the kind that has it, and the texts that it is compared with.
fn sorts() -> [(&'static str, Attribute, Vec<&'static str>); 5] {
    let one = |name: &str, case| Attribute::new(Location::new(name), Type::String).case(case);
    let list = |name: &str, kind, case| {
        Attribute::new(Location::new(name), kind).case(case).multi_valued()
    };
    let names = || NAMES.into_iter().chain([" lee", "ann ", " data ", "e l", " ", ""]).collect();
    let uris = || OTHERS.iter().map(|(uri, _)| *uri).collect();
    let bytes = OTHERS.iter().map(|(_, bytes)| *bytes).filter(|it| !it.is_empty()).collect();
    [
        (USER, one("userName", Case::Name), names()),
        (GROUP, one("displayName", Case::Label), names()),
        (USER, list("boss", Type::Reference, Case::Resource), uris()),
        (USER, list("site", Type::Reference, Case::Exact), uris()),
        (USER, list("badge", Type::Binary, Case::Bytes), bytes),
    ]
}

/// The filters that mean something: each operator with each text.
fn filters(attribute: &Attribute, texts: &[&str]) -> Vec<Bound> {
    let name = &attribute.location;
    let compared = ["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"].iter().flat_map(|op| {
        texts.iter().map(move |text| format!("{name} {op} {}", Literal::from(*text)))
    });
    let all = compared.chain([format!("{name} pr"), format!("{name} eq null")]);
    let bound = all.filter_map(|text| {
        let filter: Filter = text.parse().ok()?;
        filter.bind(&Only(attribute), &Coercion::STRICT).ok()
    });
    bound.flat_map(|bound| [bound.clone(), bound.negated()]).collect()
}

/// A schema of one attribute.
struct Only<'a>(&'a Attribute);

impl Resolve for Only<'_> {
    fn resolve(&self, _: &AttrPath) -> Resolution {
        Resolution::Found(self.0.clone())
    }

    fn sub_attribute(&self, _: &Attribute, _: &str) -> Resolution {
        Resolution::Unknown
    }
}

impl Org<'_> {
    /// The resources of a kind, read one by one, in order of creation.
    async fn each(&self, kind: &str) -> Result<Vec<Resource>, StoreError> {
        let mut all = vec![];
        for found in &self.query(&Query::all(kind, usize::MAX)).await?.resources {
            all.push(self.get(kind, found.id.as_str()).await?);
        }
        Ok(all)
    }
}

/// Each operator, each attribute that has spellings, and what stands for the same.
pub async fn filters_compare_what_values_stand_for(store: &dyn Store) -> Shown {
    let org = acme(store);
    fill(org).await?;
    let mut told = 0;
    for (kind, attribute, texts) in sorts() {
        let all = org.each(kind).await?;
        for filter in filters(&attribute, &texts) {
            let query = but(Query::all(kind, usize::MAX), |it| it.filter = Some(filter.clone()));
            let (page, mut expected) = (org.query(&query).await?, vec![]);
            for found in &all {
                if filter.matches(&Readable::new(found, Part::Sent)?) {
                    expected.push(found.id.as_str());
                }
            }
            assert_eq!(ids(&page), expected, "{filter}");
            told += u32::from(!expected.is_empty() && expected.len() < all.len());
        }
    }
    assert!(told > 500, "only {told} filters tell resources apart");
    Ok(())
}

/// What stands for the same has one place, which ties of creation share out; what is blank stands
/// with those that have no value.
pub async fn orders_compare_what_values_stand_for(store: &dyn Store) -> Shown {
    let org = acme(store);
    fill(org).await?;
    for (kind, by, _) in sorts() {
        let all: Vec<_> = (1..).zip(org.each(kind).await?).collect();
        for order in [Order::Ascending, Order::Descending] {
            let sort = Some(Sort::new(order).with_attribute(kind, by.clone()));
            let query = but(Query::all(kind, usize::MAX), |it| it.sort = sort);
            let page = org.query(&query).await?;
            let model = page_of(all.clone(), &query, page.end, Ok)?;
            assert_eq!(ids(&page), ids(&model), "{query:?}");
        }
    }
    Ok(())
}

/// Another spelling in place of one is found as the first was, and another name is not.
pub async fn a_new_spelling_is_found_as_the_old_one_was(store: &dyn Store) -> Shown {
    let org = acme(store);
    let users = ResourceType::user();
    let total = async |text: &str| {
        let filter: Option<Filter> = format!("userName eq {}", Literal::from(text)).parse().ok();
        let bound = filter.and_then(|filter| filter.bind(&users, &Coercion::STRICT).ok());
        let page = org.query(&but(Query::all(USER, 9), |it| it.filter = bound)).await?;
        Ok::<_, StoreError>(page.total)
    };
    let named = |name: &str| -> Value { json!({ "userName": name }) };
    org.commit(0, [create(USER, "u1", sent(&named("Ann Lee")))]).await?;
    for (spelling, number) in [" ann  lee", "ANN\u{a0}LEE ", "ann lee"].into_iter().zip(1..) {
        org.commit(number, [update(USER, "u1", sent(&named(spelling)))]).await?;
        assert_eq!((total("ann lee").await?, total(spelling).await?), (1, 1), "{spelling:?}");
    }
    org.commit(9, [update(USER, "u1", sent(&named("annlee")))]).await?;
    assert_eq!((total(" Ann Lee ").await?, total(" AnnLee ").await?), (0, 1));
    Ok(())
}
