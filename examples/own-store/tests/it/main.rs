//! The whole contract, and what only files can show.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use own_store::FolderStore;
use scim_core::{Caller, Service};
use scim_testkit::suite::Backend;

scim_testkit::store_suite!({
    let folder = tempfile::tempdir().unwrap();
    Backend::keeping(FolderStore::open(folder.path()).unwrap(), folder)
});

fn ask(store: FolderStore, tenant: &str, request: Request<&'static str>) -> (u16, String) {
    let caller = Caller::new(tenant, "https://scim.example.com".parse().unwrap());
    let service = Service::new(Arc::new(store));
    let answer = pollster::block_on(service.handle(&caller, request.map(Bytes::from)));
    (answer.status().as_u16(), String::from_utf8(answer.body().to_vec()).unwrap())
}

#[test]
fn what_was_answered_is_there_when_the_folder_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let open = || FolderStore::open(folder.path().join("scim")).unwrap();
    let ada =
        || Request::post("/Users").body(r#"{"userName": "ada", "title": "Countess"}"#).unwrap();
    // A name that would lead out of the folder is a name like others.
    for tenant in ["acme", "../acme", ".."] {
        assert_eq!(ask(open(), tenant, ada()).0, 201);
        assert_eq!(ask(open(), tenant, ada()).0, 409);
        let (status, listed) = ask(open(), tenant, Request::get("/Users").body("").unwrap());
        assert_eq!((status, listed.matches("Countess").count()), (200, 1), "{listed}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    assert_eq!(std::fs::read_dir(folder.path().join("scim")).unwrap().count(), 3);
}

#[test]
fn a_file_that_is_not_ours_is_not_taken_for_an_empty_organisation() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("acme.json"), "{\"rows\": 7").unwrap();
    let store = || FolderStore::open(folder.path()).unwrap();
    let (status, told) = ask(store(), "acme", Request::get("/Users").body("").unwrap());
    assert_eq!(status, 500, "{told}");
    assert_eq!(ask(store(), "other", Request::get("/Users").body("").unwrap()).0, 200);
}
