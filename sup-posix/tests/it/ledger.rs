//! Names and numbers never change hands.

use sup_posix::{Ledger, LedgerError, Owner, Target, TargetError};

use crate::acme::*;

// sec:U-10 sec:U-11 sec:U-12 dom:b-4
#[test]
fn what_was_once_somebodys_is_nobody_elses() {
    let mut site = Site::holding(&acme());
    let mut gone = acme();
    gone.users.retain(|person| person.id != "u-ada");
    site.sync(&gone, day(1));
    site.sync(&gone, day(400));
    assert_eq!(site.accounts(), "bob");
    let refusal = |site: &Site, spoil: &dyn Fn(&mut sup_posix::Directory)| {
        let mut directory = gone.clone();
        directory.groups[0].members.push("u-eve".into());
        spoil(&mut directory);
        lines(&site.project(&directory, day(4000)).quarantine)
    };
    insta::assert_snapshot!(refusal(&site, &|d| of(d, "eve").name = Some("ada".into())), @"user `eve@example.com` (u-eve) is left out: the name `ada` was given to user `u-ada`: names never change hands, assign another");
    insta::assert_snapshot!(refusal(&site, &|d| of(d, "eve").uid = Some(20_001)), @"user `eve@example.com` (u-eve) is left out: user number 20001 was given to user `u-ada`, whose files it owns: assign another");
    insta::assert_snapshot!(refusal(&site, &|d| of(d, "eve").gid = Some(20_001)), @"user `eve@example.com` (u-eve) is left out: the primary group 20001 is another user's private group: set a shared group");
    insta::assert_snapshot!(refusal(&site, &|d| of(d, "eve").uid = Some(10_001)), @"user `eve@example.com` (u-eve) is left out: group number 10001 was given to group `g-hpc`, whose files it owns: assign another");
    insta::assert_snapshot!(refusal(&site, &|d| of(d, "eve").name = Some("hpc".into())), @"user `eve@example.com` (u-eve) is left out: the name `hpc` was given to group `g-hpc`: names never change hands, assign another");
    insta::assert_snapshot!(refusal(&site, &|d| d.groups[0].gid = Some(10_009)), @"group `HPC` (g-hpc) is left out: the group number was 10001 and is now 10009: its files still belong to 10001, give it back");
    insta::assert_snapshot!(refusal(&site, &|d| d.groups[0].id = "g-new".into()), @"group `HPC` (g-new) is left out: the name `hpc` was given to group `g-hpc`: names never change hands, assign another");
    assert_eq!(
        site.ledger.owner_of_name(&"ada".parse().unwrap()),
        Some(&Owner::User("u-ada".parse().unwrap()))
    );
    assert_eq!(site.ledger.owner_of_uid("20001".parse().unwrap()), Some(&"u-ada".parse().unwrap()));
    assert_eq!(
        site.ledger.owner_of_gid("10001".parse().unwrap()),
        Some(&Owner::Group("g-hpc".parse().unwrap()))
    );
    assert_eq!(refusal(&site, &|_| ()), "");
}

// sec:U-04 dom:b-2 — the first keeps it
#[test]
fn the_first_holder_is_not_left_out_for_a_later_claim() {
    let site = Site::holding(&acme());
    let mut directory = acme();
    directory.groups[0].members.push("u-eve".into());
    of(&mut directory, "eve").name = Some("ada".into());
    let projection = site.project(&directory, day(1));
    assert_eq!(names(projection.desired.state()), "ada bob");
    assert_eq!(projection.quarantine.len(), 1);
}

// One ledger for the clusters of one organisation
#[test]
fn clusters_share_what_is_whose() {
    let mut site = Site::holding(&acme());
    site.cluster.name = "cluster-b".parse().unwrap();
    site.target = Memory::default();
    let mut directory = acme();
    of(&mut directory, "ada").id = "u-other".into();
    directory.groups[0].members[0] = "u-other".into();
    let projection = site.project(&directory, now());
    assert_eq!(names(projection.desired.state()), "bob");
}

#[test]
fn a_plan_made_before_the_ledger_changed_is_refused() {
    let mut site = Site::new(cluster());
    let mut other = acme();
    of(&mut other, "ada").id = "u-other".into();
    other.groups[0].members[0] = "u-other".into();
    let late = site.plan(&other, now());
    site.sync(&acme(), now());
    let before = site.ledger.text();
    match late.record(&mut site.ledger) {
        Err(TargetError::Ledger(error @ LedgerError::Contradiction(_))) => {
            insta::assert_snapshot!(error, @"the ledger refuses the plan: user number 20001 was given to user `u-ada`, whose files it owns: assign another");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(site.ledger.text(), before);
}

#[test]
fn the_text_holds_all_and_reads_back() {
    let mut site = Site::holding(&acme());
    let mut directory = acme();
    of(&mut directory, "ada").active = false;
    site.sync(&directory, day(1));
    let text = site.ledger.text();
    let (facts, _) = text.rsplit_once("sum\t").unwrap();
    insta::assert_snapshot!(facts.replace('\t', " "), @r"
    sup-ledger 1
    name ada user u-ada
    name bob user u-bob
    name hpc group g-hpc
    uid 20001 user u-ada
    uid 20002 user u-bob
    gid 10001 group g-hpc
    gid 20001 user u-ada
    gid 20002 user u-bob
    stay cluster-a u-ada ada 20001 20001 /home/ada 1800086400 The ada 
    stay cluster-a u-bob bob 20002 20002 /home/bob open The bob 
    ");
    let read = Ledger::parse(&text).unwrap();
    assert_eq!(read.text(), text);
    site.ledger = read;
    site.sync(&directory, day(31));
    assert_eq!(site.accounts(), "bob");
}

// sec:W-09
#[test]
fn a_damaged_ledger_is_not_believed() {
    let text = Site::holding(&acme()).ledger.text();
    let damage = |text: &str| match Ledger::parse(text) {
        Err(error @ LedgerError::Damaged { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    };
    for cut in 0..text.len() {
        damage(&text[..cut]);
    }
    for at in 0..text.len() {
        let mut bytes = text.clone().into_bytes();
        bytes[at] ^= 1;
        if let Ok(flipped) = String::from_utf8(bytes) {
            damage(&flipped);
        }
    }
    insta::assert_snapshot!(damage(""), @"the ledger is damaged: its last line is no checksum: restore it from a copy, for it says whose every number is");
    insta::assert_snapshot!(damage(&text.replace("u-ada", "u-eve")), @"the ledger is damaged: its checksum differs: restore it from a copy, for it says whose every number is");
}

#[test]
fn a_file_keeps_the_ledger_for_one_process_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger");
    let mut ledger = Ledger::open(&path).unwrap();
    let mut site = Site::new(cluster());
    let plan = site.plan(&acme(), now());
    match Ledger::open(&path) {
        Err(LedgerError::InUse { path: other }) => assert_eq!(other, path),
        other => panic!("{other:?}"),
    }
    site.target.apply(&plan, &mut ledger).unwrap();
    let text = ledger.text();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    drop(ledger);
    assert_eq!(Ledger::open(&path).unwrap().text(), text);
    std::fs::write(&path, &text[1..]).unwrap();
    assert!(matches!(Ledger::open(&path), Err(LedgerError::Damaged { .. })));
    let missing = dir.path().join("no/ledger");
    match Ledger::open(&missing) {
        Err(LedgerError::Io { what: "opened", path, .. }) => assert_eq!(path, missing),
        other => panic!("{other:?}"),
    }
}
