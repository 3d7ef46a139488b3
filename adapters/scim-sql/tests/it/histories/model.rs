//! What readers and people were ever told.

use std::collections::{BTreeMap, BTreeSet};

use scim_core::{
    filter::Location,
    store::{Event, LogEnd, Query, Resource, Store, StoreError, Want},
};
use scim_sql::SqliteStore;
use serde_json::{Value, json};

pub(super) const TENANTS: [&str; 3] = ["acme", "other", "idle"];
pub(super) const KINDS: [&str; 3] = ["User", "Group", "Token"];

/// What is known to be given out and to have ended: of all that was answered, or of what a copy
/// holds.
#[derive(Default, Clone)]
pub(super) struct Known {
    /// Tenant, space and value, and the owners.
    given: BTreeMap<(String, String, String), BTreeSet<String>>,
    /// Tenant and id.
    ended: BTreeSet<(String, String)>,
}

impl Known {
    pub(super) fn gives(&mut self, tenant: &str, space: &str, value: &str, id: &str) {
        let key = (tenant.to_owned(), space.to_owned(), value.to_owned());
        let owners = self.given.entry(key).or_default();
        assert!(
            owners.is_empty() || owners.contains(id),
            "{space} {value} of {tenant} belongs to {owners:?}, and {id} has it too"
        );
        owners.insert(id.to_owned());
    }

    pub(super) fn ends(&mut self, tenant: &str, id: &str) {
        self.ended.insert((tenant.to_owned(), id.to_owned()));
    }

    /// What of it a database tells of in its audit, which is never shortened.
    pub(super) fn in_database(mut self, store: &SqliteStore) -> Self {
        self.ended.retain(|(tenant, id)| {
            let tenant = tenant.as_str().into();
            let audit = pollster::block_on(store.audit(&tenant, LogEnd::START, 99_999)).unwrap();
            audit.iter().any(|entry| entry.id.as_str() == id)
        });
        self
    }

    /// What two files know together.
    pub(super) fn with(mut self, other: &Self) -> Self {
        for (key, owners) in &other.given {
            self.given.entry(key.clone()).or_default().extend(owners.iter().cloned());
        }
        self.ended.extend(other.ended.iter().cloned());
        self
    }
}

/// A reader that follows the feed of an organisation.
#[derive(Default)]
struct Replica {
    end: LogEnd,
    resources: BTreeMap<String, String>,
}

/// What was ever seen.
#[derive(Default)]
pub(super) struct Model {
    pub(super) known: Known,
    /// The contents of an organisation at an end of its log.
    contents: BTreeMap<(String, String), String>,
    /// The content of a resource with a version.
    versions: BTreeMap<(String, String, String), String>,
    replicas: BTreeMap<String, Replica>,
}

impl Model {
    /// Reads all, as a reader of lists, of resources and of the feed does.
    pub(super) fn read(&mut self, store: &SqliteStore) {
        for tenant in TENANTS {
            let (end, resources) = all(store, tenant);
            let lines: Vec<String> = resources.values().map(|(_, line)| line.clone()).collect();
            same(&mut self.contents, (tenant.to_owned(), end.to_string()), lines.join("\n"));
            for (id, (resource, _)) in &resources {
                let version = resource.version.own.to_string();
                let key = (tenant.to_owned(), id.clone(), version);
                same(&mut self.versions, key, of_version(resource));
                self.check_ended(tenant, resource);
            }
            self.follow(store, tenant, end, &resources);
        }
    }

    fn check_ended(&self, tenant: &str, resource: &Resource) {
        let id = resource.id.to_string();
        if self.known.ended.contains(&(tenant.to_owned(), id.clone())) {
            let sent = resource.sent.object().unwrap();
            let revoked = sent.at(&Location::new("revoked")) == Some(&json!(true));
            assert!(resource.kind.as_str() == "Token" && revoked, "{id} of {tenant} is back");
        }
    }

    /// A replica that reads the feed from where it was, and all where that has expired, is equal to
    /// the store.
    fn follow(
        &mut self,
        store: &SqliteStore,
        tenant: &str,
        end: LogEnd,
        resources: &BTreeMap<String, (Resource, String)>,
    ) {
        let replica = self.replicas.entry(tenant.to_owned()).or_default();
        let page = pollster::block_on(store.changes(&tenant.into(), replica.end, 99_999));
        match page {
            Ok(page) => {
                assert_eq!(page.end, end);
                let places = page.entries.iter().map(|entry| entry.end.position.0);
                let first = replica.end.position.0 + 1;
                assert!(places.eq(first..=end.position.0), "a hole in the log of {tenant}");
                for entry in page.entries {
                    let id = entry.id.to_string();
                    match entry.event {
                        Event::Delete => _ = replica.resources.remove(&id),
                        _ => {
                            let now = resources.get(&id).map(|(_, line)| line.clone());
                            // Deleted by a later entry.
                            now.map(|line| replica.resources.insert(id, line));
                        }
                    }
                }
            }
            Err(StoreError::Expired(_)) => {
                let lines = resources.iter().map(|(id, (_, line))| (id.clone(), line.clone()));
                replica.resources = lines.collect();
            }
            Err(error) => panic!("{error}"),
        }
        replica.end = end;
        let truth = resources.iter().map(|(id, (_, line))| (id.clone(), line.clone()));
        assert_eq!(replica.resources, truth.collect(), "the replica of {tenant} at {end}");
    }

    /// The ends and versions that some reader holds, from long ago or not.
    pub(super) fn versions_of(&self, tenant: &str, id: &str) -> Vec<(String, String)> {
        let of = |key: &(String, String, String)| key.0 == tenant && key.1 == id;
        let found = self.versions.iter().filter(|(key, _)| of(key));
        found.map(|(key, content)| (key.2.clone(), content.clone())).collect()
    }

    /// Where the logs end.
    pub(super) fn ends(store: &SqliteStore) -> Vec<(&'static str, LogEnd)> {
        TENANTS.map(|tenant| (tenant, end(store, tenant))).to_vec()
    }
}

fn same<K: Ord + std::fmt::Debug + Clone>(seen: &mut BTreeMap<K, String>, key: K, content: String) {
    let before = seen.entry(key.clone()).or_insert_with(|| content.clone());
    assert_eq!(*before, content, "{key:?} has two contents");
}

pub(super) fn end(store: &SqliteStore, tenant: &str) -> LogEnd {
    pollster::block_on(store.changes(&tenant.into(), LogEnd::START, 0)).unwrap().end
}

/// All that there is, and where the log ends.
pub(super) fn all(
    store: &SqliteStore,
    tenant: &str,
) -> (LogEnd, BTreeMap<String, (Resource, String)>) {
    let mut query = Query::all(KINDS[0], usize::MAX);
    query.kinds = KINDS.map(Into::into).to_vec();
    query.want = Want { members: Some(vec![]), member_of: None };
    let page = pollster::block_on(store.query(&tenant.into(), &query)).unwrap();
    let resources = page.resources.into_iter().map(|resource| {
        let line = format!(
            "{} {} {} {}",
            resource.kind,
            resource.id,
            resource.version.own,
            of_version(&resource)
        );
        (resource.id.to_string(), (resource, line))
    });
    (page.end, resources.collect())
}

/// What the version of a resource stands for.
pub(super) fn of_version(resource: &Resource) -> String {
    let text = |object: &scim_core::Object| serde_json::to_string(object).unwrap();
    let members = resource.members.iter().flatten().map(|member| Value::from(member.id.as_str()));
    format!(
        "{} {} {}",
        text(resource.sent.object().unwrap()),
        text(resource.assigned.object().unwrap()),
        members.collect::<Value>()
    )
}
