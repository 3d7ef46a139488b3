//! The sessions of identity providers over SQLite.

use std::sync::Arc;

use scim_core::{
    Caller, Dialect, Overlay, ResourceType, ResourceTypes, Service, schema, service::InProcess,
};
use scim_sql::SqliteStore;
use scim_testkit::transcript::{Player, recorded};

#[test]
fn every_session_is_answered_as_its_client_expects() {
    let groups = ResourceType::group().with(Overlay::Unique(schema::GROUP, "displayName"));
    let types = Arc::new(ResourceTypes::new(vec![ResourceType::user(), groups]).unwrap());
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("store.db")).unwrap();
    let service = Service::new(Arc::new(store));
    let mut failures = vec![];
    for transcript in recorded() {
        let own = (transcript.dialect.dialect(), "own");
        for (dialect, tenant) in [own, (Dialect::TOLERANT, "tolerant")] {
            let base: url::Url = "https://scim.example.com/v2".parse().unwrap();
            let mut caller = Caller::new(format!("{} {tenant}", transcript.path), base.clone());
            (caller.types, caller.dialect) = (types.clone(), dialect);
            let transport = InProcess::new(service.clone(), caller);
            let mut player = Player::new(Arc::new(transport), base);
            match pollster::block_on(player.play(&transcript)) {
                Ok(played) => assert_eq!(played.requests, transcript.requests()),
                Err(failed) => failures.push(failed.to_string()),
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}
