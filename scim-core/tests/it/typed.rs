//! The typed view, by way of a client and a service.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use scim_core::{
    Client, ResourceType, ResourceTypes, Transport, TransportError,
    schema::{Attribute, ENTERPRISE_USER, Schema, Vocabulary},
    service::InProcess,
    typed::{
        Email, EmailKind, EnterpriseUser, Field, Group, Manager, Member, MemberKind, Rest, Typed,
        User,
    },
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::World;

fn client(world: &World) -> Client {
    let transport = InProcess::new(world.service.clone(), world.caller.clone());
    Client::new(Arc::new(transport), world.caller.base.clone())
}

#[test]
fn a_client_says_leave_it_clear_it_set_it() {
    let world = World::new();
    let client = client(&world);
    let users = client.typed::<User>();
    pollster::block_on(async {
        let mut enterprise = EnterpriseUser::default();
        enterprise.cost_center = Some("1".to_owned());
        enterprise.manager = Manager::new("7").into();
        let mut ada = User::new("ada").with_enterprise(enterprise);
        ada.emails.push(Email::new("ada@x.io").of_kind("work").primary());
        let made = users.create(&ada).await.unwrap();
        assert_eq!(
            (&made.emails, made.active, &made.schemas),
            (&ada.emails, Some(true), &ada.schemas)
        );
        let id = made.id.clone().unwrap();
        assert_eq!(made.meta.as_ref().unwrap().resource_type.as_deref(), Some("User"));
        let put = async |enterprise: Field<EnterpriseUser>| {
            let mut next = User::new("ada");
            next.enterprise = enterprise;
            users.replace(&id, &next).await.unwrap().resource.enterprise
        };
        // Absent leaves the extension, and in it nothing is left of what a present one does not say.
        assert_eq!(put(Field::Absent).await, made.enterprise);
        let mut bare = EnterpriseUser::default();
        bare.division = Some("d".to_owned());
        bare.manager = Field::Null;
        let kept = put(Field::Set(bare)).await;
        let kept = kept.set().unwrap();
        assert_eq!(
            (kept.division.as_deref(), &kept.cost_center, &kept.manager),
            (Some("d"), &None, &Field::Absent)
        );
        assert_eq!(put(Field::Null).await, Field::Absent);
        assert_eq!(users.read(&id).await.unwrap().enterprise, Field::Absent);
        let mut team = Group::new("team");
        team.members.push(Member::new(&*id));
        let team = client.typed::<Group>().create(&team).await.unwrap();
        assert_eq!(
            (team.members[0].kind.clone(), team.members[0].display.as_deref()),
            (Some(MemberKind::User), Some("ada"))
        );
        assert_eq!(users.list("userName eq \"nobody\"").all().await.unwrap(), []);
    });
}

// rfc:DIS-16
#[test]
fn a_type_is_where_discovery_says() {
    let mut world = World::new();
    let people = ResourceType::new("User", "/People", Schema::user());
    let types = ResourceTypes::new(vec![people, ResourceType::group()]);
    world.caller.types = Arc::new(types.unwrap());
    let client = client(&world);
    let people = client.typed::<User>();
    pollster::block_on(async {
        let unasked = people.create(&User::new("ada")).await.unwrap_err();
        assert_eq!(unasked.status().unwrap().as_u16(), 404, "at `Users`");
        client.discover().await.unwrap();
        let ada = people.create(&User::new("ada")).await.unwrap();
        let id = ada.id.clone().unwrap();
        assert!(world.get(&format!("/People/{id}")).status == 200);
        assert_eq!(people.read(&id).await.unwrap().resource, ada.resource);
        assert!(people.read_unless(&id, &ada.version.unwrap()).await.unwrap().is_none());
        people.replace(&id, &User::new("ada")).await.unwrap();
        let title = json!({"op": "add", "path": "title", "value": "Dr"});
        assert!(people.patch(&id, vec![title]).await.unwrap().is_some());
        let eve = people.update(&id, |it| it.user_name = "eve".to_owned()).await.unwrap();
        assert_eq!(people.list("title eq \"Dr\"").all().await.unwrap(), [eve.resource]);
        people.delete(&id).await.unwrap();
        assert_eq!(world.get("/People").body["totalResults"], 0);
    });
}

// rfc:DIS-16
#[test]
fn an_endpoint_that_is_no_path_is_not_believed() {
    let at = |endpoints: &[&str]| {
        let type_at = |it: &&str| json!({"name": it, "schema": User::SCHEMA, "endpoint": it});
        let types = endpoints.iter().map(type_at).collect();
        let asked = Arc::new(Asked { types, last: Mutex::default() });
        pollster::block_on(async {
            let client = Client::new(asked.clone(), "https://scim.example.com/v2".parse().unwrap());
            client.discover().await.unwrap();
            let nobody = client.typed::<User>().read("7").await.unwrap_err();
            assert_eq!(nobody.status().unwrap().as_u16(), 404);
        });
        asked.last.lock().unwrap().clone()
    };
    assert_eq!(at(&["/Staff"]), "/v2/Staff/7");
    assert_eq!(at(&["/Staff", "/Users"]), "/v2/Users/7", "the usual one of two");
    assert_eq!(at(&["/Staff", "/Guests"]), "/v2/Staff/7");
    assert_eq!(at(&["https://evil.example.com/Users"]), "/v2/Users/7");
    for odd in ["/../admin", "/Users?x=", "/Users#", "", "/%2e%2e/x", "/a b"] {
        assert_eq!(at(&[odd]), "/v2/Users/7", "{odd}");
    }
}

/// A service that only discovers, and notes what it was asked last.
#[derive(Debug)]
struct Asked {
    types: Vec<Value>,
    last: Mutex<String>,
}

#[async_trait]
impl Transport for Asked {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let path = request.uri().path().to_owned();
        let types = path.ends_with("/ResourceTypes");
        *self.last.lock().unwrap() = path;
        let body = json!({"totalResults": self.types.len(), "Resources": self.types});
        let found = if types { 200 } else { 404 };
        Ok(Response::builder().status(found).body(body.to_string().into()).unwrap())
    }
}

#[test]
fn kinds_are_those_of_the_schema_and_any_other() {
    fn names<K: From<&'static str> + PartialEq + std::fmt::Debug>(values: &[String]) -> bool {
        let known = |value: &String| {
            let text: &'static str = Box::leak(value.clone().into_boxed_str());
            !format!("{:?}", K::from(text)).starts_with("Unknown")
        };
        values.iter().all(known)
    }
    use scim_core::typed::{AddressKind, ImKind, MembershipKind, PhoneNumberKind, PhotoKind};
    let user = Schema::user();
    let kinds = |name: &str| {
        user.attribute(name).unwrap().sub_attribute("type").unwrap().canonical_values.clone()
    };
    assert!(
        names::<EmailKind>(&kinds("emails")) && names::<PhoneNumberKind>(&kinds("phoneNumbers"))
    );
    assert!(names::<ImKind>(&kinds("ims")) && names::<PhotoKind>(&kinds("photos")));
    assert!(names::<AddressKind>(&kinds("addresses")) && names::<MembershipKind>(&kinds("groups")));
    for text in ["WORK", "", "work ", "someday"] {
        let kind = EmailKind::from(text);
        assert_eq!((kind.as_str(), &kind), (text, &EmailKind::Unknown(text.to_owned())));
    }
    assert_eq!(
        user.attribute("emails").unwrap().sub_attribute("type").unwrap().vocabulary,
        Vocabulary::Open
    );
}

#[test]
fn what_is_no_user_says_so() {
    let refused = |value: Value| User::from_value(value).unwrap_err();
    insta::assert_snapshot!(refused(json!({})), @"this is no resource of `urn:ietf:params:scim:schemas:core:2.0:User`: missing field `userName`");
    insta::assert_snapshot!(refused(json!({"userName": 5})), @"this is no resource of `urn:ietf:params:scim:schemas:core:2.0:User`: invalid type: integer `5`, expected a string");
    insta::assert_snapshot!(refused(json!({"userName": "a", "active": "True"})), @r#"this is no resource of `urn:ietf:params:scim:schemas:core:2.0:User`: invalid type: string "True", expected a boolean"#);
}

#[test]
fn every_attribute_of_the_schemas_has_a_field() {
    let fields =
        |value: Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
    let filled = |attributes: &[Attribute]| -> Value {
        let members = attributes
            .iter()
            .filter(|it| it.name != "password")
            .map(|it| (it.name.clone(), sample(it)));
        Value::Object(members.collect())
    };
    let mut user = filled(&Schema::user().attributes);
    user[ENTERPRISE_USER] = filled(&Schema::enterprise_user().attributes);
    let typed = User::from_value(user.clone()).unwrap();
    assert_eq!(fields(Value::Object(typed.rest.clone())), Vec::<String>::new());
    let rests = [
        &typed.name.as_ref().unwrap().rest,
        &typed.emails[0].rest,
        &typed.phone_numbers[0].rest,
        &typed.ims[0].rest,
        &typed.photos[0].rest,
        &typed.addresses[0].rest,
        &typed.groups[0].rest,
        &typed.entitlements[0].rest,
        &typed.roles[0].rest,
        &typed.x509_certificates[0].rest,
        &typed.enterprise.set().unwrap().rest,
        &typed.enterprise.set().unwrap().manager.set().unwrap().rest,
    ];
    assert!(rests.iter().all(|rest| rest.is_empty()), "{rests:?}");
    assert_eq!(typed.to_value().unwrap(), user);
    let group = filled(&Schema::group().attributes);
    let typed = Group::from_value(group.clone()).unwrap();
    assert!(typed.rest.is_empty() && typed.members[0].rest.is_empty());
    assert_eq!(typed.to_value().unwrap(), group);
}

/// A value with all parts.
fn sample(attribute: &Attribute) -> Value {
    let one = match attribute.kind {
        scim_core::schema::Type::Boolean => json!(true),
        scim_core::schema::Type::Complex => {
            let parts = attribute.sub_attributes.iter().map(|it| (it.name.clone(), sample(it)));
            Value::Object(parts.collect())
        }
        _ => json!("x"),
    };
    if attribute.multi_valued { json!([one]) } else { one }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Device {
    schemas: Vec<String>,
    serial: String,
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    slots: Field<i64>,
    #[serde(flatten)]
    rest: Rest,
}

impl Typed for Device {
    const ENDPOINT: &'static str = "Devices";
    const SCHEMA: &'static str = "urn:example:params:scim:schemas:Device";
}

#[test]
fn a_type_of_ones_own() {
    let mut world = World::new();
    let schema = Schema::new(Device::SCHEMA, "Device", "")
        .with(Attribute::string("serial").required().unique())
        .with(Attribute::integer("slots"))
        .with(Attribute::string("colour"));
    let devices = scim_core::ResourceType::new("Device", "/Devices", schema);
    world.caller.types = Arc::new(scim_core::ResourceTypes::new(vec![devices]).unwrap());
    let client = client(&world);
    let devices = client.typed::<Device>();
    let mut rest = Rest::new();
    rest.insert("colour".to_owned(), json!("red"));
    let device = Device {
        schemas: vec![Device::SCHEMA.to_owned()],
        serial: "A".to_owned(),
        slots: 4.into(),
        rest,
    };
    pollster::block_on(async {
        let made = devices.create(&device).await.unwrap();
        assert_eq!((&made.slots, &made.rest["colour"]), (&Field::Set(4), &json!("red")));
        let id = made.rest["id"].as_str().unwrap().to_owned();
        let cleared = Device { slots: Field::Null, ..made.resource };
        assert_eq!(devices.replace(&id, &cleared).await.unwrap().slots, Field::Absent);
        let taken = devices.create(&device).await.unwrap_err();
        insta::assert_snapshot!(taken, @"the service answered 409 Conflict: serial is in use by another Device of this organisation");
    });
}
