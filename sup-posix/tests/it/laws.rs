//! What holds of every directory.

use std::collections::BTreeSet;

use proptest::prelude::*;
use sup_posix::{
    Approval, Cluster, Directory, Gecos, Guard, Ledger, Limit, Person, Target, Team,
    files::{decode, encode},
    plan, project,
};

use crate::acme::*;

/// Properties run the same cases on every machine.
pub fn fixed_seed(seed: u64) -> ProptestConfig {
    ProptestConfig {
        rng_seed: proptest::test_runner::RngSeed::Fixed(seed),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Names, some of which are none, from a pool small enough to clash.
fn name() -> impl Strategy<Value = Option<String>> {
    prop_oneof![
        12 => "[a-e][a-c0-1]{0,2}".prop_map(Some),
        1 => Just(None),
        1 => prop::sample::select(vec!["root", "sudo", "A", "a:b", "a\nb:x:0:0::/:/bin/sh", "", "-a", "+", "ä"])
            .prop_map(|name| Some(name.into())),
    ]
}

fn number() -> impl Strategy<Value = Option<i64>> {
    prop_oneof![
        12 => (20_000i64..20_030).prop_map(Some),
        1 => Just(None),
        1 => prop::sample::select(vec![0i64, -1, 65_534, 4_294_967_295, i64::MAX]).prop_map(Some),
    ]
}

fn text() -> impl Strategy<Value = Option<String>> {
    prop::option::of(prop_oneof!["\\PC{0,12}", "(/|:|,|\n|\r|\0|home|a|b|\\.\\.|bin/sh){0,6}"])
}

fn keys() -> impl Strategy<Value = Vec<String>> {
    let key = prop_oneof![
        3 => Just(KEY.to_owned()),
        3 => Just(OTHER_KEY.to_owned()),
        1 => "\\PC{0,8}".prop_map(|comment| format!("{KEY} {comment}")),
        1 => "(ssh-rsa|\n|'|,|\\[| |AAAA){0,5}",
    ];
    prop::collection::vec(key, 0..4)
}

fn person(id: usize) -> impl Strategy<Value = Person> {
    let values = (
        prop::bool::weighted(0.8),
        name(),
        number(),
        prop::option::weighted(0.2, 20_000i64..20_060),
    );
    (values, text(), text(), text(), keys()).prop_map(
        move |((active, name, uid, gid), formatted, home, shell, keys)| Person {
            id: format!("u{id}"),
            user_name: format!("u{id}@example.com"),
            active,
            name,
            uid,
            gid,
            formatted,
            home,
            shell,
            keys,
            ..Person::default()
        },
    )
}

fn team(id: usize) -> impl Strategy<Value = Team> {
    let members = prop::collection::vec((0..14usize).prop_map(|n| format!("u{n}")), 0..12);
    (name(), (20_020i64..20_060).prop_map(Some), members).prop_map(move |(name, gid, members)| {
        Team { id: format!("g{id}"), display_name: format!("Group {id}"), name, gid, members }
    })
}

fn directory() -> impl Strategy<Value = Directory> {
    let users = (0..12usize).map(person).collect::<Vec<_>>();
    let groups = (0..4usize).map(team).collect::<Vec<_>>();
    let deleted = prop::collection::vec((0..14usize).prop_map(|n| format!("u{n}")), 0..2);
    (users, groups, deleted).prop_map(|(users, groups, deleted)| Directory {
        users,
        groups,
        deleted,
        ..acme()
    })
}

fn cluster() -> Cluster {
    let all = Limit { floor: usize::MAX, percent: 0 };
    Cluster {
        groups: ["g0", "g1", "g2"].map(str::to_owned).into(),
        sudo_groups: vec!["g3".into()],
        guard: Guard { absent: all, absent_in_a_day: all, departed: all, sudo_joins: all },
        ..crate::acme::cluster()
    }
}

/// A bare reader that knows nothing of this crate: fields between separators, as the C library sees them.
fn fields(directory: &sup_posix::State, map: &str, count: usize) -> Vec<Vec<String>> {
    let file = encode(directory).into_iter().find(|file| file.name == map).unwrap();
    let text = String::from_utf8(file.bytes).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'));
    let lines = text.split_terminator('\n');
    lines
        .map(|line| {
            let fields: Vec<_> = line.split(':').map(str::to_owned).collect();
            assert_eq!(fields.len(), count, "{line}");
            fields
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..fixed_seed(2) })]

    // sec:U-01 sec:U-04 dom:b-29
    #[test]
    fn whatever_the_directory_says_the_files_are_sound(directory in directory()) {
        let projection = project(&directory, &cluster(), &Ledger::in_memory(), now());
        let state = projection.desired.state();
        let bytes = |map: &str| encode(state).into_iter().find(|file| file.name == map).unwrap().bytes;
        let read = decode(&bytes("passwd.cache"), &bytes("group.cache"), &bytes("shadow.cache"), &bytes("sshkey.cache"));
        prop_assert_eq!(read.as_ref(), Ok(state));

        let passwd = fields(state, "passwd.cache", 7);
        let column = |at: usize| passwd.iter().map(|fields| fields[at].clone()).collect::<BTreeSet<_>>();
        prop_assert_eq!(column(0).len(), passwd.len());
        prop_assert_eq!(column(2).len(), passwd.len());
        prop_assert_eq!(column(5).len(), passwd.len());
        for fields in &passwd {
            let uid: u32 = fields[2].parse().unwrap();
            prop_assert!((20_000..20_060).contains(&uid));
            prop_assert!(fields[5].starts_with("/home/") || fields[5].starts_with("/mnt/home/"));
            prop_assert!(["/bin/bash", "/bin/sh", "/bin/zsh", "/usr/sbin/nologin"].contains(&fields[6].as_str()));
        }
        let groups = fields(state, "group.cache", 4);
        prop_assert_eq!(groups.iter().map(|f| &f[2]).collect::<BTreeSet<_>>().len(), groups.len());
        for member in groups.iter().flat_map(|f| f[3].split(',')).filter(|member| !member.is_empty()) {
            prop_assert!(column(0).contains(member));
        }
        for key in state.accounts().values().flat_map(|account| account.keys()) {
            prop_assert!(sup_posix::AuthorizedKey::parse(key.as_str()).is_ok());
        }
    }

    // Everybody is served, left out with a reason, or not meant to be here.
    // sec:U-04 dom:b-29
    #[test]
    fn nobody_is_lost_silently(directory in directory()) {
        let projection = project(&directory, &cluster(), &Ledger::in_memory(), now());
        let usable: Vec<_> = projection.desired.state().groups().keys().collect();
        for person in directory.users.iter().filter(|person| person.active) {
            let group = |team: &&Team| team.members.contains(&person.id) && team.name.as_deref().is_some_and(|name| usable.iter().any(|usable| usable.as_str() == name));
            let meant = directory.groups.iter().any(|team| group(&team));
            let served = projection.desired.state().open().any(|account| Some(account.name.as_str()) == person.name.as_deref() && Some(i64::from(account.uid.get())) == person.uid);
            let told = projection.quarantine.iter().any(|entry| matches!(&entry.subject, sup_posix::Subject::User { id, .. } if *id == person.id));
            prop_assert!(!meant || served != told, "{:?}", person);
        }
    }

    #[test]
    fn the_order_of_records_does_not_matter(directory in directory(), seed in any::<u64>()) {
        let mut shuffled = directory.clone();
        let shift = usize::try_from(seed % 11).unwrap();
        shuffled.users.rotate_left(shift);
        shuffled.groups.reverse();
        shuffled.groups.iter_mut().for_each(|team| team.members.reverse());
        let ledger = Ledger::in_memory();
        let (one, two) = (project(&directory, &cluster(), &ledger, now()), project(&shuffled, &cluster(), &ledger, now()));
        prop_assert_eq!(one, two);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 250, ..fixed_seed(3) })]

    // sec:U-10 sec:U-11 dom:b-4
    #[test]
    fn over_any_history_names_and_numbers_never_change_hands(history in prop::collection::vec(directory(), 1..6)) {
        let mut site = Site::new(cluster());
        let mut names = std::collections::BTreeMap::new();
        let mut uids = std::collections::BTreeMap::new();
        for (at, directory) in (0..).zip(&history) {
            let digest = site.plan(directory, day(at * 20)).digest().to_owned();
            let desired = site.project(directory, day(at * 20)).desired;
            let plan = plan(&site.target.current, &desired, &site.cluster.guard, Approval::Digest(&digest));
            site.target.apply(&plan, &mut site.ledger).unwrap();
            // The second run is empty, also for a ledger read back from its text.
            let again = site.plan(directory, day(at * 20));
            prop_assert!(again.is_empty() && again.hold().is_none(), "{}", again);
            site.ledger = Ledger::parse(&site.ledger.text()).unwrap();
            prop_assert!(site.plan(directory, day(at * 20)).is_empty());
            prop_assert_eq!(site.state(), plan.next());
            for account in site.state().accounts().values() {
                let owner = site.ledger.owner_of_name(&account.name).cloned();
                prop_assert_eq!(names.entry(account.name.clone()).or_insert(owner.clone()), &owner);
                let owner = site.ledger.owner_of_uid(account.uid).cloned();
                prop_assert_eq!(uids.entry(account.uid).or_insert(owner.clone()), &owner);
            }
        }
    }

    #[test]
    fn what_is_urgent_only_takes_from_the_departed(before in directory(), after in directory()) {
        let mut site = Site::new(cluster());
        site.sync(&before, now());
        site.cluster.guard = Guard { absent: Limit { floor: 0, percent: 0 }, departed: Limit { floor: 1, percent: 0 }, ..site.cluster.guard };
        let desired = site.project(&after, day(1)).desired;
        let plan = plan(&site.target.read().unwrap(), &desired, &site.cluster.guard, Approval::None);
        if let Some(urgent) = plan.urgent() {
            let lost: Vec<_> = site.state().open().filter(|a| !urgent.next().accounts().get(&a.name).is_some_and(|b| b.is_open())).collect();
            prop_assert_eq!(lost.len(), 1);
            let owner = site.ledger.owner_of_name(&lost[0].name).unwrap().to_string();
            let gone = |id: &str| owner == format!("user `{id}`");
            prop_assert!(after.deleted.iter().any(|id| gone(id)) || after.users.iter().any(|p| !p.active && gone(&p.id)));
            site.target.apply(&urgent, &mut site.ledger).unwrap();
        }
    }

    // sec:U-03
    #[test]
    fn a_display_name_settles_at_once(text in "\\PC{0,400}|[\\x00-\\u{ff}]{0,300}") {
        let gecos = Gecos::lossy(&text);
        prop_assert!(gecos.as_str().len() <= 256);
        prop_assert_eq!(Gecos::new(gecos.as_str()), Ok(gecos.clone()));
        prop_assert!(!gecos.as_str().contains([':', ',', '\n', '\r', '\0']));
    }
}
