//! The whole contract, over a file and over memory.

mod file {
    use scim_sql::SqliteStore;
    use scim_testkit::suite::Backend;

    fn in_a_folder() -> Backend {
        let folder = tempfile::tempdir().unwrap();
        Backend::keeping(SqliteStore::open(folder.path().join("store.db")).unwrap(), folder)
    }

    scim_testkit::store_suite!(in_a_folder());
}

mod memory {
    use scim_sql::SqliteStore;

    scim_testkit::store_suite!(SqliteStore::in_memory().unwrap());
}
