//! What a sync may do without asking.

use sup_posix::{
    Approval, Cluster, Directory, Guard, HoldReason, Inactive, Ledger, Limit, Plan, Target,
    TargetError, plan,
};

use crate::acme::*;

fn reasons(plan: &Plan) -> String {
    plan.hold().map(|hold| lines(&hold.reasons)).unwrap_or_default()
}

/// Acme's crowd without its last `gone` people, who are simply no longer there.
fn without(directory: &Directory, gone: usize) -> Directory {
    let kept = directory.users.len() - gone;
    let mut directory = directory.clone();
    directory.users.truncate(kept);
    directory.groups[0].members.truncate(kept);
    directory
}

fn deactivate(directory: &mut Directory, people: std::ops::Range<usize>) {
    for person in &mut directory.users[people] {
        person.active = false;
    }
}

#[test]
fn a_plan_reads_like_what_it_does() {
    let mut site = Site::new(cluster());
    let first = site.sync(&acme(), now());
    insta::assert_snapshot!(first, @r"
    cluster-a: 9 changes
    + passwd ada: uid 20001, gid 20001, gecos `The ada`, home /home/ada, shell /bin/bash
    + passwd bob: uid 20002, gid 20002, gecos `The bob`, home /home/bob, shell /bin/bash
    + group ada: gid 20001
    + group bob: gid 20002
    + group hpc: gid 10001, ada, bob
    + shadow ada: open
    + shadow bob: open
    + sshkey ada: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHQ5RsZOYMPy4yy8xT+NG5bkHX0XSsNdkET0P6+x7Bka ada@laptop, ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDeQvsRyn8Pn4WJao2T3lElfdecyJG+ZvqWEaOB6g/CR ada@desk
    + sshkey bob
    ");
    let mut directory = acme();
    of(&mut directory, "ada").active = false;
    of(&mut directory, "bob").formatted = Some("Robert".into());
    insta::assert_snapshot!(site.plan(&directory, now()), @r"
    cluster-a: 5 changes
    ~ passwd ada: -shell /bin/bash +shell /usr/sbin/nologin
    ~ passwd bob: -gecos `The bob` +gecos `Robert`
    ~ group hpc: -ada
    ~ shadow ada: -open +locked
    ~ sshkey ada: -ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHQ5RsZOYMPy4yy8xT+NG5bkHX0XSsNdkET0P6+x7Bka ada@laptop -ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDeQvsRyn8Pn4WJao2T3lElfdecyJG+ZvqWEaOB6g/CR ada@desk
    ");
    let mut directory = acme();
    directory.groups[0].members.retain(|id| id != "u-bob");
    of(&mut directory, "ada").keys.reverse();
    insta::assert_snapshot!(site.plan(&directory, now()), @r"
    cluster-a: 6 changes
    - passwd bob
    - group bob
    ~ group hpc: -bob
    - shadow bob
    ~ sshkey ada: another order
    - sshkey bob
    ");
    insta::assert_snapshot!(site.plan(&acme(), now()), @"cluster-a: nothing to do");
}

// dom:b-28
#[test]
fn losses_by_absence_are_held_beyond_ten_or_a_tenth() {
    for (total, most) in [(30, 10), (100, 10), (109, 10), (200, 20), (250, 25)] {
        let all = crowd(total);
        let site = Site::holding(&all);
        for (gone, held) in [(most - 1, false), (most, false), (most + 1, true)] {
            let plan = site.plan(&without(&all, gone), now());
            assert_eq!(plan.hold().is_some(), held, "{gone} of {total}");
        }
    }
    let all = crowd(200);
    let plan = Site::holding(&all).plan(&without(&all, 21), now());
    assert_eq!(
        reasons(&plan),
        "21 of 200 users would go without anybody saying so: at most 20 may at once"
    );
    assert_eq!(
        plan.hold().unwrap().to_string(),
        format!("{}; approve with `{}`", reasons(&plan), plan.digest())
    );
    assert!(plan.to_string().ends_with(&format!("{}\n", plan.hold().unwrap())));
}

// A directory that crumbles slowly is an outage, too
#[test]
fn losses_add_up_over_a_day() {
    let all = crowd(100);
    let mut site = Site::holding(&all);
    let hour = |n: u32| now() + n * std::time::Duration::from_secs(3600);
    for (at, gone) in [(1, 7), (2, 14), (3, 20)] {
        assert_eq!(site.sync(&without(&all, gone), hour(at)).hold(), None);
        site.ledger = Ledger::parse(&site.ledger.text()).unwrap();
    }
    let plan = site.plan(&without(&all, 21), hour(4));
    assert_eq!(
        reasons(&plan),
        "21 of 100 users would have gone in a day without anybody saying so: at most 20 may"
    );
    assert!(site.plan(&without(&all, 21), hour(25)).hold().is_some());
    assert_eq!(site.plan(&without(&all, 21), hour(26)).hold(), None);
    // What was approved is not counted again.
    let desired = site.project(&without(&all, 60), hour(4)).desired;
    let digest = site.plan(&without(&all, 60), hour(4)).digest().to_owned();
    let approved = sup_posix::plan(
        &site.target.current,
        &desired,
        &site.cluster.guard,
        Approval::Digest(&digest),
    );
    site.target.apply(&approved, &mut site.ledger).unwrap();
    assert_eq!(site.plan(&without(&all, 61), hour(27)).hold(), None);
}

// Each map has its own count
#[test]
fn groups_memberships_and_keys_are_counted_too() {
    let mut many_groups = crowd(3);
    many_groups.groups.extend((0..40).map(|n| team(&format!("t{n}"), 10_100 + n, &["p0", "p1"])));
    let groups = many_groups.groups.iter().map(|team| team.id.clone()).collect();
    let mut site = Site::new(Cluster { groups, ..cluster() });
    site.sync(&many_groups, now());
    let mut fewer = many_groups.clone();
    fewer.groups.iter_mut().take(12).for_each(|team| team.members.retain(|id| id != "u-p1"));
    assert_eq!(
        reasons(&site.plan(&fewer, now())),
        "12 of 83 memberships would go without anybody saying so: at most 10 may at once"
    );
    site.cluster.groups.truncate(30);
    assert_eq!(
        reasons(&site.plan(&many_groups, now())),
        "11 of 41 groups would go without anybody saying so: at most 10 may at once"
    );

    let mut keyed = crowd(3);
    for person in &mut keyed.users {
        person.keys = vec![KEY.into(), OTHER_KEY.into()];
    }
    let mut site = Site::holding(&keyed);
    site.cluster.guard.absent = Limit { floor: 5, percent: 10 };
    let bare = crowd(3);
    assert_eq!(
        reasons(&site.plan(&bare, now())),
        "6 of 6 keys would go without anybody saying so: at most 5 may at once"
    );
    // Another comment is no loss.
    let renamed = Directory {
        users: keyed
            .users
            .iter()
            .cloned()
            .map(|mut person| {
                person.keys = person.keys.iter().map(|key| format!("{key} renamed")).collect();
                person
            })
            .collect(),
        ..keyed.clone()
    };
    assert_eq!(reasons(&site.plan(&renamed, now())), "");
}

// dom:b-24 — a directory that is down, in fifteen shapes, takes nothing from anybody
#[test]
fn an_outage_removes_nobody() {
    let all = crowd(12);
    let outages: [(&str, Spoil<Directory>); 15] = [
        ("nothing at all", |d| {
            *d = Directory {
                organisation: "acme".into(),
                epoch: "e1".into(),
                position: 100,
                ..Directory::default()
            }
        }),
        ("no users", |d| d.users.clear()),
        ("no groups", |d| d.groups.clear()),
        ("group without members", |d| d.groups[0].members.clear()),
        ("group renamed", |d| {
            d.groups[0].name = Some("other".into());
            d.groups[0].display_name = "other".into()
        }),
        ("group without a name", |d| d.groups[0].name = None),
        ("group without a number", |d| d.groups[0].gid = None),
        ("group with another number", |d| d.groups[0].gid = Some(10_002)),
        ("group twice", |d| d.groups.push(d.groups[0].clone())),
        ("users without names", |d| d.users.iter_mut().for_each(|p| p.name = None)),
        ("users without numbers", |d| d.users.iter_mut().for_each(|p| p.uid = None)),
        ("users with other numbers", |d| {
            d.users.iter_mut().for_each(|p| p.uid = p.uid.map(|uid| uid + 100))
        }),
        ("all users the same", |d| d.users.iter_mut().for_each(|p| p.name = Some("p0".into()))),
        ("users twice", |d| d.users.extend(d.users.clone())),
        ("members by other ids", |d| {
            d.groups[0].members.iter_mut().for_each(|id| *id = id.to_uppercase())
        }),
    ];
    for (what, outage) in outages {
        let mut site = Site::holding(&all);
        let mut directory = all.clone();
        outage(&mut directory);
        let plan = site.plan(&directory, day(1));
        assert!(plan.hold().is_some(), "{what}");
        assert_eq!(plan.urgent(), None, "{what}");
        match site.target.apply(&plan, &mut site.ledger) {
            Err(TargetError::Held(hold)) => assert_eq!(Some(&hold), plan.hold()),
            other => panic!("{what}: {other:?}"),
        }
        assert_eq!(site.state().open().count(), 12);
    }
    let mut gone = all.clone();
    gone.groups.clear();
    insta::assert_snapshot!(reasons(&Site::holding(&all).plan(&gone, now())), @r"
    configured groups are missing or unusable (hpc), and the plan takes access away
    nobody would be left of 12 users: the directory may be down
    12 of 12 users would go without anybody saying so: at most 10 may at once
    ");
}

// dom:b-24 — a missing group is held while it would cost somebody his access, and only then
#[test]
fn a_missing_group_holds_removals_alone() {
    let mut cluster = cluster();
    cluster.groups.push("lab".into());
    let mut site = Site::new(cluster);
    let first = site.sync(&acme(), now());
    assert_eq!((first.hold(), site.accounts()), (None, "ada bob".into()));
    let mut more = acme();
    more.groups[0].members.push("u-eve".into());
    assert_eq!(site.sync(&more, now()).hold(), None);
    let mut less = more.clone();
    less.groups[0].members.retain(|id| id != "u-eve");
    assert_eq!(
        reasons(&site.plan(&less, now())),
        "configured groups are missing or unusable (lab), and the plan takes access away"
    );
}

#[test]
fn whoever_was_deactivated_goes_at_once_up_to_a_limit_of_their_own() {
    let all = crowd(200);
    for (gone, held) in [(39, false), (40, false), (41, true)] {
        let mut directory = all.clone();
        deactivate(&mut directory, 0..gone);
        let plan = Site::holding(&all).plan(&directory, now());
        assert_eq!(plan.hold().is_some(), held, "{gone}");
    }
    let mut site = Site::holding(&all);
    let mut directory = all.clone();
    deactivate(&mut directory, 0..120);
    let plan = site.plan(&directory, now());
    assert_eq!(
        reasons(&plan),
        "120 of 200 users were deactivated or deleted: at most 40 may be at once"
    );
    let urgent = plan.urgent().unwrap();
    site.target.apply(&urgent, &mut site.ledger).unwrap();
    assert_eq!(site.state().open().count(), 160);
    assert_eq!(site.state().groups()[&"hpc".parse().unwrap()].members.len(), 160);
}

#[test]
fn a_departure_passes_while_an_outage_is_held() {
    let all = crowd(50);
    for (inactive, left) in [(Inactive::default(), "(p0)"), (Inactive::Drop, "p1")] {
        let mut site = Site::holding(&all);
        site.cluster.inactive = inactive;
        let mut directory = without(&all, 30);
        deactivate(&mut directory, 0..1);
        let plan = site.plan(&directory, now());
        assert!(reasons(&plan).starts_with("30 of 50 users would go without anybody saying so"));
        let urgent = plan.urgent().unwrap();
        assert!(urgent.hold().is_none());
        site.target.apply(&urgent, &mut site.ledger).unwrap();
        assert_eq!(site.state().open().count(), 49);
        assert!(site.accounts().starts_with(left), "{}", site.accounts());
        let again = site.plan(&directory, now());
        assert_eq!((again.urgent(), again.hold().is_some()), (None, true));
        // The outage ends: everybody else is still there.
        let mut back = all.clone();
        deactivate(&mut back, 0..1);
        assert_eq!(site.sync(&back, now()).hold(), None);
        assert_eq!(site.state().open().count(), 49);
    }
}

#[test]
fn a_deletion_that_the_log_tells_of_is_no_outage() {
    let all = crowd(50);
    let mut directory = without(&all, 15);
    let site = Site::holding(&all);
    assert_eq!(
        reasons(&site.plan(&directory, now())),
        "15 of 50 users would go without anybody saying so: at most 10 may at once"
    );
    directory.deleted = (35..50).map(|n| format!("u-p{n}")).collect();
    assert_eq!(site.plan(&directory, now()).hold(), None);
}

#[test]
fn an_approval_names_this_very_plan() {
    let all = crowd(50);
    let (mut site, directory) = (Site::holding(&all), without(&all, 30));
    let desired = site.project(&directory, now()).desired;
    let (current, guard) = (site.target.read().unwrap(), site.cluster.guard);
    let held = plan(&current, &desired, &guard, Approval::None);
    let digest = held.hold().unwrap().digest.clone();
    for wrong in ["", "yes", &digest.to_uppercase(), &digest[..15]] {
        assert!(
            plan(&current, &desired, &guard, Approval::Digest(wrong)).hold().is_some(),
            "{wrong}"
        );
    }
    let other = site.project(&without(&all, 31), now()).desired;
    assert!(plan(&current, &other, &guard, Approval::Digest(&digest)).hold().is_some());
    let approved = plan(&current, &desired, &guard, Approval::Digest(&digest));
    assert_eq!(approved.hold(), None);
    site.target.apply(&approved, &mut site.ledger).unwrap();
    assert_eq!(site.state().open().count(), 20);
}

#[test]
fn another_organisation_or_cluster_is_held() {
    let site = Site::holding(&acme());
    let mut other = acme();
    other.organisation = "globex\n".into();
    insta::assert_snapshot!(reasons(&site.plan(&other, now())), @r"the files are acme's for cluster `cluster-a`, the plan is globex\n's for cluster `cluster-a`: check the configuration");
    let mut moved = Site::holding(&acme());
    moved.cluster.name = "cluster-b".parse().unwrap();
    insta::assert_snapshot!(reasons(&moved.plan(&acme(), now())), @"the files are acme's for cluster `cluster-a`, the plan is acme's for cluster `cluster-b`: check the configuration");
}

// sec:Y-06
#[test]
fn a_directory_that_goes_back_is_held() {
    let site = Site::holding(&acme());
    let at = |epoch: &str, position| Directory { epoch: epoch.into(), position, ..acme() };
    insta::assert_snapshot!(reasons(&site.plan(&at("e1", 99), now())), @"the directory went back from position 100 to 99: an old copy answers");
    insta::assert_snapshot!(reasons(&site.plan(&at("e2", 5), now())), @"the directory went back from position 100 to 5: an old copy answers");
    for (epoch, position) in [("e1", 100), ("e2", 100), ("e2", 101)] {
        assert_eq!(site.plan(&at(epoch, position), now()).hold(), None);
    }
    // Also a departure in old data waits.
    let mut old = at("e1", 99);
    of(&mut old, "ada").active = false;
    assert_eq!(site.plan(&old, now()).urgent(), None);
}

#[test]
fn many_new_roots_are_held() {
    let mut directory = crowd(20);
    directory.groups.push(team("ops", 10_002, &["p0"]));
    let cluster = Cluster { sudo_groups: vec!["g-ops".into()], ..cluster() };
    let mut site = Site::new(cluster);
    assert_eq!(site.sync(&directory, now()).hold(), None);
    for (joins, held) in [(5, false), (6, true)] {
        directory.groups[1].members = (0..=joins).map(|n| format!("u-p{n}")).collect();
        assert_eq!(site.plan(&directory, now()).hold().is_some(), held, "{joins}");
    }
    assert_eq!(
        reasons(&site.plan(&directory, now())),
        "6 people would join `ops`, which gives root: at most 5 may at once"
    );
}

// sec:W-09
#[test]
fn damaged_files_are_no_base_to_count_from() {
    let mut site = Site::holding(&acme());
    site.target.current.damage = Some("passwd.cache is not as it was written".into());
    site.target.current.state = sup_posix::State::default();
    let plan = site.plan(&acme(), now());
    insta::assert_snapshot!(reasons(&plan), @"the cluster's files are damaged (passwd.cache is not as it was written): look who wrote there");
    match plan.hold().unwrap().reasons.as_slice() {
        [HoldReason::Damaged { why }] => assert_eq!(why, "passwd.cache is not as it was written"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_first_sync_has_nothing_to_lose() {
    let none = Limit { floor: 0, percent: 0 };
    let guard = Guard { absent: none, absent_in_a_day: none, departed: none, sudo_joins: none };
    let cluster = Cluster { guard, sudo_groups: vec!["g-hpc".into()], ..cluster() };
    assert_eq!(Site::new(cluster).sync(&crowd(100), now()).hold(), None);
}
