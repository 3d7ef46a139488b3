//! What of a directory reaches a cluster.

use std::time::Duration;

use sup_posix::{
    Cluster, Gecos, Homes, Inactive, Ledger, LocalAccounts, Person, Projection, Shell, Shells,
    project,
};

use crate::acme::*;

fn homes(projection: &Projection) -> String {
    let accounts = projection.desired.state().accounts().values();
    accounts.map(|account| account.home.to_string()).collect::<Vec<_>>().join(" ")
}

// dom:b-6 dom:b-24 dom:b-33
#[test]
fn users_are_the_members_of_the_selected_groups() {
    let projection = projected(&acme());
    let state = projection.desired.state();
    assert_eq!(names(state), "ada bob");
    assert_eq!(groups(state), "ada:20001: bob:20002: hpc:10001:ada,bob");
    assert_eq!((projection.quarantine, projection.warnings), (vec![], vec![]));
    let ada = state.accounts().values().next().unwrap();
    assert_eq!((&ada.gecos, ada.keys().len()), (&Gecos::lossy("The ada"), 2));
    assert_eq!(ada.shell().as_str(), "/bin/bash");
}

// dom:a2
#[test]
fn two_clusters_get_different_maps_from_one_directory() {
    let mut directory = acme();
    directory.groups.push(team("gpu", 10_002, &["eve"]));
    let on = |groups: &[&str], forced: Option<&str>| {
        let groups = groups.iter().map(|g| (*g).to_owned()).collect();
        let homes = Homes { forced: forced.map(|home| home.parse().unwrap()), ..Homes::default() };
        let cluster = Cluster { groups, homes, ..cluster() };
        project(&directory, &cluster, &Ledger::in_memory(), now())
    };
    let (a, b) = (on(&["hpc"], None), on(&["gpu", "hpc"], Some("/mnt/home/%u")));
    assert_eq!(homes(&a), "/home/ada /home/bob");
    assert_eq!(homes(&b), "/mnt/home/ada /mnt/home/bob /mnt/home/eve");
    assert_eq!(
        groups(b.desired.state()),
        "ada:20001: bob:20002: eve:20003: gpu:10002:eve hpc:10001:ada,bob"
    );
}

// dom:b-24
#[test]
fn a_group_is_named_by_id_posix_name_or_display_name() {
    let mut directory = acme();
    directory.groups[0].display_name = "High Performance".into();
    let select = |directory: &_, selector: &str| {
        let cluster = Cluster { groups: vec![selector.into()], ..cluster() };
        let projection = project(directory, &cluster, &Ledger::in_memory(), now());
        format!("{} {}", names(projection.desired.state()), lines(&projection.warnings))
    };
    for selector in ["g-hpc", "hpc", "HPC", "High Performance", "high performance"] {
        assert_eq!(select(&directory, selector), "ada bob ", "{selector}");
    }
    insta::assert_snapshot!(select(&directory, "G-HPC"), @" no group matches `G-HPC`: its members are not served, and removals are held; correct the configuration or restore the group");
    directory.groups.push(team("gpu", 10_002, &["eve"]));
    directory.groups[1].display_name = "high performance".into();
    insta::assert_snapshot!(select(&directory, "High Performance"), @" several groups match `High Performance`: none is served, and removals are held; name one by its id");
    directory.groups[1].display_name = "hpc".into();
    assert_eq!(select(&directory, "hpc"), "ada bob ");
}

// dom:b-40 sec:U-08 — a group named `admin` is accepted in the directory and reaches no cluster
#[test]
fn a_privileged_group_reaches_no_cluster() {
    let mut directory = acme();
    for (name, display) in [(None, "admin"), (Some("docker"), "Docker"), (Some("Sudo"), "Sudo")] {
        directory.groups[0].name = name.map(str::to_owned);
        directory.groups[0].display_name = display.into();
        let cluster = Cluster { groups: vec!["g-hpc".into()], ..cluster() };
        let projection = project(&directory, &cluster, &Ledger::in_memory(), now());
        assert_eq!(names(projection.desired.state()), "");
        assert_eq!(groups(projection.desired.state()), "");
        assert_eq!(projection.quarantine.len(), 1);
    }
    directory.groups[0].name = None;
    directory.groups[0].display_name = "admin".into();
    let cluster = Cluster { groups: vec!["admin".into()], ..cluster() };
    let projection = project(&directory, &cluster, &Ledger::in_memory(), now());
    insta::assert_snapshot!(lines(&projection.quarantine), @"group `admin` (g-hpc) is left out: it has no POSIX name: set one, or rename it so that one can be derived");
    insta::assert_snapshot!(lines(&projection.warnings), @"the group `admin` is left out: its members are not served, and removals are held");
}

// dom:b-29 sec:U-01 sec:U-05 — each bad record alone is left out, with a reason
#[test]
fn a_bad_record_holds_up_nobody_else() {
    let cases: [(&str, Spoil<Person>); 11] = [
        ("no name", |p| p.name = None),
        ("no number", |p| p.uid = None),
        ("root", |p| p.name = Some("root".into())),
        ("upper case", |p| p.name = Some("Bob".into())),
        ("e-mail", |p| p.name = Some("bob@example.com".into())),
        ("newline", |p| p.name = Some("bob\nroot".into())),
        ("zero", |p| p.uid = Some(0)),
        ("nobody", |p| p.uid = Some(65_534)),
        ("huge", |p| p.uid = Some(4_294_967_295)),
        ("group zero", |p| p.gid = Some(0)),
        ("id", |p| p.id = "u bob".into()),
    ];
    let mut reasons = Vec::new();
    for (what, spoil) in cases {
        let mut directory = acme();
        spoil(of(&mut directory, "bob"));
        if what == "id" {
            directory.groups[0].members = vec!["u-ada".into(), "u bob".into()];
        }
        let projection = projected(&directory);
        assert_eq!(names(projection.desired.state()), "ada", "{what}");
        assert_eq!(groups(projection.desired.state()), "ada:20001: hpc:10001:ada", "{what}");
        reasons.push(format!("{what}: {}", lines(&projection.quarantine)));
    }
    insta::assert_snapshot!(reasons.join("\n"), @r#"
    no name: user `bob@example.com` (u-bob) is left out: it has no POSIX name: set one, or rename it so that one can be derived
    no number: user `bob@example.com` (u-bob) is left out: it has no number: set one, or let the organisation assign one
    root: user `bob@example.com` (u-bob) is left out: `root` is reserved: a system account or privileged group has that name on a node
    upper case: user `bob@example.com` (u-bob) is left out: `Bob` has `B` at byte 0: expected a lower-case letter, then letters, digits, `_` and `-`
    e-mail: user `bob@example.com` (u-bob) is left out: `bob@example.com` has `@` at byte 3: expected a lower-case letter, then letters, digits, `_` and `-`
    newline: user `bob@example.com` (u-bob) is left out: `bob\nroot` has `\n` at byte 3: expected a lower-case letter, then letters, digits, `_` and `-`
    zero: user `bob@example.com` (u-bob) is left out: `0` is root: expected a number in 1000–60000, 60578–61183, 65520–65533, 65536–524287, 1879048192–2147352575
    nobody: user `bob@example.com` (u-bob) is left out: `65534` is nobody: expected a number in 1000–60000, 60578–61183, 65520–65533, 65536–524287, 1879048192–2147352575
    huge: user `bob@example.com` (u-bob) is left out: `4294967295` is "no user": expected a number in 1000–60000, 60578–61183, 65520–65533, 65536–524287, 1879048192–2147352575
    group zero: user `bob@example.com` (u-bob) is left out: `0` is root: expected a number in 1000–60000, 60578–61183, 65520–65533, 65536–524287, 1879048192–2147352575
    id: user `bob@example.com` (u bob) is left out: `u bob` is no id: expected 1 to 255 printable ASCII characters without blanks
    "#);
}

// sec:U-04 dom:b-2 dom:b-15
#[test]
fn two_that_claim_one_name_or_number_are_both_left_out() {
    let left_out = |spoil: &dyn Fn(&mut sup_posix::Directory)| {
        let mut directory = acme();
        spoil(&mut directory);
        let projection = projected(&directory);
        format!("{} | {}", names(projection.desired.state()), lines(&projection.quarantine))
    };
    insta::assert_snapshot!(left_out(&|d| of(d, "bob").name = Some("ada".into())), @r"
     | user `ada@example.com` (u-ada) is left out: the name `ada` is claimed by another record too: assign one of them another
    user `bob@example.com` (u-bob) is left out: the name `ada` is claimed by another record too: assign one of them another
    ");
    insta::assert_snapshot!(left_out(&|d| of(d, "eve").uid = Some(20_001)), @"bob | user `ada@example.com` (u-ada) is left out: user number 20001 is claimed by another user too: assign one of them another");
    insta::assert_snapshot!(left_out(&|d| d.groups.push(team("ada", 10_002, &[]))), @"bob | user `ada@example.com` (u-ada) is left out: the name `ada` is claimed by another record too: assign one of them another");
    insta::assert_snapshot!(left_out(&|d| d.groups.push(team("lab", 20_001, &[]))), @"bob | user `ada@example.com` (u-ada) is left out: group number 20001 is claimed by another record too: assign one of them another");
    insta::assert_snapshot!(left_out(&|d| { let twin = d.users[0].clone(); d.users.push(twin) }), @"bob | user `ada@example.com` (u-ada) is left out: the directory was read with this id twice: read it again");
}

#[test]
fn a_nodes_own_accounts_are_never_taken() {
    let local = LocalAccounts::read(
        "bob:x:1500:1500::/:/bin/sh\nx:x:20001:1::/:/bin/sh\n",
        "lab:x:10001:\n",
    );
    let cluster = Cluster { local, ..cluster() };
    let projection = project(&acme(), &cluster, &Ledger::in_memory(), now());
    assert_eq!(names(projection.desired.state()), "");
    insta::assert_snapshot!(lines(&projection.quarantine), @"group `HPC` (g-hpc) is left out: the nodes have an account or group 10001 of their own: assign another number");
    let cluster = Cluster { local: LocalAccounts { gids: [].into(), ..cluster.local }, ..cluster };
    let projection = project(&acme(), &cluster, &Ledger::in_memory(), now());
    insta::assert_snapshot!(lines(&projection.quarantine), @r"
    user `ada@example.com` (u-ada) is left out: the nodes have an account or group 20001 of their own: assign another number
    user `bob@example.com` (u-bob) is left out: the nodes have an account or group `bob` of their own: assign another name
    ");
}

// dom:b-6 dom:b-7
#[test]
fn a_primary_group_is_private_known_or_a_number() {
    let with_gid = |gid: i64| {
        let mut directory = acme();
        directory.groups.push(team("lab", 10_002, &["ada", "eve"]));
        of(&mut directory, "ada").gid = Some(gid);
        let projection = projected(&directory);
        let notes = [lines(&projection.quarantine), lines(&projection.warnings)].concat();
        format!("{} {notes}", groups(projection.desired.state()))
    };
    assert_eq!(with_gid(20_001), "ada:20001: bob:20002: hpc:10001:ada,bob ");
    assert_eq!(with_gid(10_001), "bob:20002: hpc:10001:ada,bob ");
    assert_eq!(with_gid(10_002), "bob:20002: hpc:10001:ada,bob lab:10002: ");
    insta::assert_snapshot!(with_gid(10_003), @"bob:20002: hpc:10001:ada,bob `ada` has the primary group 10003, which no group of the directory has: programs will show the number");
    insta::assert_snapshot!(with_gid(20_002), @"bob:20002: hpc:10001:bob user `ada@example.com` (u-ada) is left out: the primary group 20002 is another user's private group: set a shared group");
    insta::assert_snapshot!(with_gid(20_003), @"bob:20002: hpc:10001:bob user `ada@example.com` (u-ada) is left out: the primary group 20003 is another user's private group: set a shared group");
}

// dom:b-40 sec:U-08
#[test]
fn root_is_given_by_the_id_of_a_group_alone() {
    let mut directory = acme();
    directory.groups.push(team("ops", 10_002, &["eve"]));
    let on = |directory: &_, sudo: &str| {
        let cluster = Cluster { sudo_groups: vec![sudo.into()], ..cluster() };
        project(directory, &cluster, &Ledger::in_memory(), now())
    };
    let projection = on(&directory, "g-ops");
    assert_eq!(
        projection.desired.sudo_groups().iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["ops"]
    );
    assert_eq!(names(projection.desired.state()), "ada bob eve");
    let by_name = on(&directory, "ops");
    assert!(by_name.desired.sudo_groups().is_empty());
    assert_eq!(by_name.warnings.len(), 1);
    of(&mut directory, "ada").gid = Some(10_002);
    insta::assert_snapshot!(lines(&on(&directory, "g-ops").quarantine), @"user `ada@example.com` (u-ada) is left out: the primary group 10002 gives root, and the user is no member of it: set another");
}

// dom:b-48
#[test]
fn members_are_open_accounts_of_this_cluster() {
    let mut directory = acme();
    directory.groups.push(team("lab", 10_002, &["ada", "eve"]));
    directory.groups[0].members.extend(["u-ada".into(), "u-gone".into()]);
    of(&mut directory, "bob").active = false;
    let cluster = Cluster { groups: vec!["hpc".into(), "lab".into()], ..cluster() };
    let projection = project(&directory, &cluster, &Ledger::in_memory(), now());
    assert_eq!(
        groups(projection.desired.state()),
        "ada:20001: eve:20003: hpc:10001:ada lab:10002:ada,eve"
    );
    insta::assert_snapshot!(lines(&projection.warnings), @"group `hpc` has the member `u-gone`, who is no user of the directory");
}

// dom:b-9 sec:U-13
#[test]
fn a_preferred_home_is_taken_where_it_is_nobody_elses() {
    let prefer = |home: &str| {
        let mut directory = acme();
        of(&mut directory, "ada").home = Some(home.into());
        let projection = projected(&directory);
        let ada = projection.desired.state().accounts().values().next().unwrap();
        (ada.home.to_string(), lines(&projection.warnings))
    };
    for home in ["/home/ada", "/mnt/home/ada", "/mnt/home/ada/hpc", "/home/team/ada"] {
        assert_eq!(prefer(home), (home.into(), String::new()));
    }
    let refused = [
        "home/ada",
        "/home/../etc",
        "/etc",
        "/root",
        "/data/ada",
        "/home",
        "/home/bob",
        "/mnt/home/bob",
        "/home/bob/x",
        "/home/eve",
        "/home/ada\nroot",
        "/home/ada:/bin/sh",
        "/home/ada/",
        "/home//ada",
        "/",
        "/home/./ada",
        "//home/ada",
        "/home/$USER",
        "/home/ada ",
        "\0",
        "/home/ä",
    ];
    for home in refused {
        let (got, warning) = prefer(home);
        assert_eq!(got, "/home/ada", "{home}");
        assert!(warning.starts_with("`ada` gets `/home/ada`: "), "{warning}");
    }
    insta::assert_snapshot!(prefer("/home/bob").1, @"`ada` gets `/home/ada`: `/home/bob` is somebody else's, holds somebody's or lies in one");
    insta::assert_snapshot!(prefer("/data/ada").1, @"`ada` gets `/home/ada`: `/data/ada` is outside the cluster's directories of homes");
    insta::assert_snapshot!(prefer("/etc").1, @"`ada` gets `/home/ada`: `/etc` is no place for a home: expected two parts or more, outside the system's directories");
    assert_eq!(prefer(""), ("/home/ada".into(), String::new()));
    // dom:b-9: where the cluster says where homes are, nobody's preference counts.
    let forced = Homes { forced: Some("/mnt/home/%u".parse().unwrap()), ..Homes::default() };
    let mut directory = acme();
    of(&mut directory, "ada").home = Some("/home/team/ada".into());
    let cluster = Cluster { homes: forced, ..cluster() };
    let projection = project(&directory, &cluster, &Ledger::in_memory(), now());
    assert_eq!(homes(&projection), "/mnt/home/ada /mnt/home/bob");
}

// sec:U-13
#[test]
fn two_who_prefer_one_home_get_their_own() {
    for (ada, bob) in [("/home/x", "/home/x"), ("/home/x", "/home/x/y"), ("/home/x/y/z", "/home/x")]
    {
        let mut directory = acme();
        of(&mut directory, "ada").home = Some(ada.into());
        of(&mut directory, "bob").home = Some(bob.into());
        let projection = projected(&directory);
        assert_eq!(homes(&projection), "/home/ada /home/bob", "{ada} {bob}");
        assert_eq!(projection.warnings.len(), 2);
    }
}

// sec:U-13 — also of somebody who is long gone
#[test]
fn a_leavers_home_stays_his() {
    let mut site = Site::holding(&acme());
    let mut directory = acme();
    directory.users.retain(|person| person.id != "u-bob");
    of(&mut directory, "ada").home = Some("/home/bob".into());
    site.cluster.inactive = Inactive::Drop;
    assert_eq!(homes(&site.project(&directory, day(900))), "/home/ada");
}

// dom:b-10 sec:U-14
#[test]
fn a_shell_is_one_of_the_clusters() {
    let prefer = |shell: &str| {
        let mut directory = acme();
        of(&mut directory, "ada").shell = Some(shell.into());
        let fish =
            Shells::new(Shell::new("/bin/bash").unwrap(), [Shell::new("/usr/bin/fish").unwrap()]);
        let projection = project(
            &directory,
            &Cluster { shells: fish, ..cluster() },
            &Ledger::in_memory(),
            now(),
        );
        let ada = projection.desired.state().accounts().values().next().unwrap();
        (ada.shell().to_string(), projection.warnings.len())
    };
    assert_eq!(prefer("/usr/bin/fish"), ("/usr/bin/fish".into(), 0));
    assert_eq!(prefer(""), ("/bin/bash".into(), 0));
    for shell in [
        "/usr/bin/python3",
        "/mnt/home/x/evil",
        "bash",
        "/bin/../bin/bash",
        "/bin/bash\n",
        "/bin/bash -c id",
        "/bin/zsh",
    ] {
        assert_eq!(prefer(shell), ("/bin/bash".into(), 1), "{shell}");
    }
}

// sec:K-08 sec:K-09 dom:a29 dom:b-12
#[test]
fn sound_keys_are_served_each_once_in_their_order() {
    let mut directory = acme();
    let again = KEY.replace("ada@laptop", "the same again");
    of(&mut directory, "ada").keys =
        vec![OTHER_KEY.into(), "ssh-dss AAAA".into(), KEY.into(), again];
    of(&mut directory, "bob").keys = vec![KEY.into()];
    let projection = projected(&directory);
    let ada = &projection.desired.state().accounts()[&"ada".parse().unwrap()];
    assert_eq!(ada.keys().iter().map(ToString::to_string).collect::<Vec<_>>(), [OTHER_KEY, KEY]);
    insta::assert_snapshot!(lines(&projection.warnings), @r"
    key 2 of `ada` is left out: `ssh-dss` is not taken: expected ed25519, ecdsa, rsa or a security key of the first two
    the key SHA256:LWqFCMqF7+bVEAEyg+1aG9CBjPsBO+OjLOM6yUdr+Bc opens `ada`, `bob`: ask whose it is
    ");
}

// The slow test of an RSA key is made once, and what it found is the ledger's.
#[test]
fn a_tested_rsa_key_is_remembered() {
    let line = include_str!("../data/sound-keys.txt").lines().find(|line| line.contains("ssh-rsa"));
    let (fingerprint, key) = line.unwrap().split_once(' ').unwrap();
    let mut directory = acme();
    of(&mut directory, "ada").keys = vec![KEY.into(), key.into()];
    let mut site = Site::holding(&directory);
    assert!(site.ledger.text().contains(&format!("The ada\t{fingerprint}\n")));
    assert!(site.sync(&directory, day(1)).is_empty());
    assert_eq!(site.state().accounts()[&"ada".parse().unwrap()].keys()[1].as_str(), key);
    site.sync(&acme(), day(2));
    assert!(!site.ledger.text().contains(fingerprint));
}

// sec:K-08
#[test]
fn an_account_has_at_most_twenty_keys() {
    let key = |n: u32| {
        // Points of the curve are found by trying.
        (n * 1000..).find_map(|y| {
            let mut blob = b"\0\0\0\x0bssh-ed25519\0\0\0\x20".to_vec();
            blob.extend(y.to_le_bytes());
            blob.extend([7; 28]);
            let line = format!("ssh-ed25519 {}", base64(&blob));
            sup_posix::AuthorizedKey::parse(&line).ok().map(|key| key.to_string())
        })
    };
    for (count, warnings) in [(20, 0), (21, 1), (1000, 1)] {
        let mut directory = acme();
        of(&mut directory, "ada").keys = (0..count).map(|n| key(n).unwrap()).collect();
        let projection = projected(&directory);
        let ada = &projection.desired.state().accounts()[&"ada".parse().unwrap()];
        assert_eq!((ada.keys().len(), projection.warnings.len()), (20, warnings));
    }
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

// dom:a8 sec:U-15
#[test]
fn an_inactive_user_keeps_a_locked_line_for_thirty_days() {
    let mut site = Site::holding(&acme());
    let mut directory = acme();
    of(&mut directory, "ada").active = false;
    site.sync(&directory, day(1));
    assert_eq!(site.accounts(), "(ada) bob");
    assert_eq!(groups(site.state()), "ada:20001: bob:20002: hpc:10001:bob");
    let ada = &site.state().accounts()[&"ada".parse().unwrap()];
    assert_eq!(
        (ada.gecos.as_str(), ada.home.as_str(), ada.keys().len()),
        ("The ada", "/home/ada", 0)
    );
    site.sync(&directory, day(31) - Duration::from_secs(1));
    assert_eq!(site.accounts(), "(ada) bob");
    site.sync(&directory, day(31));
    assert_eq!(site.accounts(), "bob");
    assert_eq!(groups(site.state()), "bob:20002: hpc:10001:bob");
    of(&mut directory, "ada").active = true;
    site.sync(&directory, day(40));
    assert_eq!(site.accounts(), "ada bob");
}

// dom:b-22
#[test]
fn whoever_comes_back_is_whole_again_and_the_days_begin_anew() {
    let mut site = Site::holding(&acme());
    let mut away = acme();
    of(&mut away, "ada").active = false;
    site.sync(&away, day(1));
    site.sync(&acme(), day(20));
    assert_eq!(site.accounts(), "ada bob");
    assert_eq!(*site.state(), *Site::holding(&acme()).state());
    site.sync(&away, day(25));
    site.sync(&away, day(54));
    assert_eq!(site.accounts(), "(ada) bob");
    site.sync(&away, day(55));
    assert_eq!(site.accounts(), "bob");
}

// `inactive = drop`
#[test]
fn a_cluster_may_drop_at_once() {
    let mut site = Site::holding(&acme());
    site.cluster.inactive = Inactive::Drop;
    let mut directory = acme();
    of(&mut directory, "ada").active = false;
    site.sync(&directory, day(1));
    assert_eq!(site.accounts(), "bob");
}

// dom:b-23 dom:b-33
#[test]
fn who_is_deleted_is_locked_and_who_leaves_the_groups_goes() {
    let mut site = Site::holding(&acme());
    let mut deleted = acme();
    deleted.users.retain(|person| person.id != "u-ada");
    site.sync(&deleted, day(1));
    assert_eq!(site.accounts(), "(ada) bob");
    let mut site = Site::holding(&acme());
    let mut left = acme();
    left.groups[0].members.retain(|id| id != "u-ada");
    site.sync(&left, day(1));
    assert_eq!(site.accounts(), "bob");
    assert_eq!(groups(site.state()), "bob:20002: hpc:10001:bob");
}

#[test]
fn an_inactive_user_who_was_never_here_does_not_come() {
    let mut directory = acme();
    of(&mut directory, "ada").active = false;
    assert_eq!(Site::holding(&directory).accounts(), "bob");
}

// sec:U-10 — who cannot be served any more is locked, not forgotten
#[test]
fn a_user_whose_number_changes_is_locked_and_keeps_the_old_one() {
    let mut site = Site::holding(&acme());
    let mut directory = acme();
    of(&mut directory, "ada").uid = Some(20_009);
    let projection = site.project(&directory, day(1));
    insta::assert_snapshot!(lines(&projection.quarantine), @"user `ada@example.com` (u-ada) is left out: the user number was 20001 and is now 20009: his files still belong to 20001, give it back");
    site.sync(&directory, day(1));
    assert_eq!(site.accounts(), "(ada) bob");
    assert_eq!(groups(site.state()), "ada:20001: bob:20002: hpc:10001:bob");
}

// dom:b-16 dom:b-49
#[test]
fn a_renamed_group_keeps_its_number_and_a_long_one_is_reported() {
    let mut site = Site::holding(&acme());
    let mut directory = acme();
    directory.groups[0].name = Some("hpc-users".into());
    site.sync(&directory, day(1));
    assert_eq!(groups(site.state()), "ada:20001: bob:20002: hpc-users:10001:ada,bob");
    let mut crowd = crowd(9_000);
    for (at, person) in crowd.users.iter_mut().enumerate() {
        person.name = Some(format!("person-{at:04}"));
    }
    let projection = projected(&crowd);
    let hpc = &projection.desired.state().groups()[&"hpc".parse().unwrap()];
    assert_eq!(hpc.members.len(), 9_000);
    insta::assert_snapshot!(lines(&projection.warnings), @"the line of group `hpc` has 108000 bytes: programs slow down beyond 65536");
}

#[test]
fn a_new_name_of_a_person_is_announced() {
    let site = Site::holding(&acme());
    let mut directory = acme();
    of(&mut directory, "ada").name = Some("ada-byron".into());
    insta::assert_snapshot!(lines(&site.project(&directory, day(1)).warnings), @"`ada` is now `ada-byron`: running jobs keep the old name, and the home may move");
}
