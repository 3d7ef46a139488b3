use super::{
    encode::{group, index, passwd, shadow, sshkey},
    *,
};
use crate::{
    Access, Account, Clash, Gecos, Group, HomeDir, KeyLine, PosixName, Shell, State, plan::Map,
};

const K1: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g alice@laptop";
const K2: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICAfHh0cGxoZGBcWFRQTEhEQDw4NDAsKCQgHBgUEAwIB it's bob's, key";

/// An account of the run in the appendix of the domain sheet.
fn account(name: &str, uid: &str, gid: &str, gecos: &str, keys: &[&str]) -> Account {
    Account {
        name: name.parse().unwrap(),
        uid: uid.parse().unwrap(),
        gid: gid.parse().unwrap(),
        gecos: Gecos::new(gecos).unwrap(),
        home: HomeDir::new(&format!("/home/{name}")).unwrap(),
        access: Access::Open {
            shell: Shell::new("/bin/bash").unwrap(),
            keys: keys.iter().map(|key| KeyLine::parse(key).unwrap()).collect(),
        },
    }
}

fn golden() -> State {
    let mut state = State::default();
    for account in [
        account("alice", "20008", "30000", "A B", &[K1]),
        account("bob", "20002", "20002", "A B", &[K1, K1]),
        account("carol", "20003", "30000", "A B", &[]),
    ] {
        state.add_account(account).unwrap();
    }
    let members = ["alice", "bob"].map(|name| name.parse().unwrap()).into();
    let users =
        Group { name: "slurm-users".parse().unwrap(), gid: "30000".parse().unwrap(), members };
    state.add_group(users).unwrap();
    state
}

fn file(state: &State, name: &str) -> String {
    let file = encode(state).into_iter().find(|file| file.name == name).unwrap();
    String::from_utf8(file.bytes).unwrap().replace('\0', "␀")
}

// dom:b-50 dom:a36 — the lines of the real writer, byte for byte
#[test]
fn the_golden_lines_are_written() {
    assert_eq!(
        file(&golden(), "passwd.cache"),
        "alice:x:20008:30000:A B:/home/alice:/bin/bash\n\
         bob:x:20002:20002:A B:/home/bob:/bin/bash\n\
         carol:x:20003:30000:A B:/home/carol:/bin/bash\n"
    );
    assert_eq!(file(&golden(), "group.cache"), "slurm-users:x:30000:alice,bob\n");
    assert_eq!(file(&golden(), "group.cache.ixname"), "slurm-users␀0␀\n");
    assert_eq!(file(&golden(), "group.cache.ixgid"), "30000␀0␀\n");
    assert_eq!(file(&golden(), "shadow.cache"), "alice:*:::::::\nbob:*:::::::\ncarol:*:::::::\n");
    assert_eq!(
        file(&golden(), "sshkey.cache"),
        format!("alice:['{K1}']\nbob:['{K1}', '{K1}']\ncarol:\n")
    );
    let grace = account("grace", "20007", "30000", "Grace Hopper", &[]);
    assert_eq!(passwd(&grace), "grace:x:20007:30000:Grace Hopper:/home/grace:/bin/bash\n");
    assert_eq!(shadow(&grace), "grace:*:::::::\n");
    assert_eq!(sshkey(&account("carol", "20003", "30000", "", &[K1])), format!("carol:['{K1}']\n"));
    let empty =
        Group { name: "lab".parse().unwrap(), gid: "30001".parse().unwrap(), members: [].into() };
    assert_eq!(group(&empty), "lab:x:30001:\n");
}

// sec:U-15 sec:U-16
#[test]
fn a_locked_account_owns_files_and_nothing_else() {
    let locked = Account { access: Access::Locked, ..account("dave", "20004", "20004", "D", &[]) };
    assert_eq!(passwd(&locked), "dave:x:20004:20004:D:/home/dave:/usr/sbin/nologin\n");
    assert_eq!(shadow(&locked), "dave:!*:::::::\n");
    assert_eq!(sshkey(&locked), "dave:\n");
}

fn indexed(records: &[(&str, usize)]) -> String {
    String::from_utf8(index(records.iter().copied())).unwrap().replace('\0', "␀")
}

// sec:W-08 dom:a36 — test vector of the real writer, and the whole indexes of the golden run
#[test]
fn the_golden_indexes_are_written() {
    assert_eq!(indexed(&[("foo", 0), ("bar", 15), ("quux", 30)]), "bar␀15␀␀\nfoo␀0␀␀␀\nquux␀30␀\n");
    assert_eq!(
        indexed(&[
            ("alice", 0),
            ("bob", 46),
            ("carol", 88),
            ("dave", 134),
            ("eve@example.com", 178),
            ("grace", 244),
            ("zed", 299)
        ]),
        "alice␀0␀␀␀␀␀␀␀␀␀␀␀␀␀\nbob␀46␀␀␀␀␀␀␀␀␀␀␀␀␀␀\ncarol␀88␀␀␀␀␀␀␀␀␀␀␀␀\ndave␀134␀␀␀␀␀␀␀␀␀␀␀␀\n\
         eve@example.com␀178␀\ngrace␀244␀␀␀␀␀␀␀␀␀␀␀\nzed␀299␀␀␀␀␀␀␀␀␀␀␀␀␀\n"
    );
    assert_eq!(
        indexed(&[
            ("20008", 0),
            ("20002", 46),
            ("20003", 88),
            ("20004", 134),
            ("20005", 178),
            ("20007", 244),
            ("3000000000", 299)
        ]),
        "20002␀46␀␀␀␀␀␀␀\n20003␀88␀␀␀␀␀␀␀\n20004␀134␀␀␀␀␀␀\n20005␀178␀␀␀␀␀␀\n20007␀244␀␀␀␀␀␀\n20008␀0␀␀␀␀␀␀␀␀\n\
         3000000000␀299␀\n"
    );
    assert_eq!(indexed(&[]), "");
    assert_eq!(file(&golden(), "passwd.cache.ixname"), "alice␀0␀␀\nbob␀46␀␀␀\ncarol␀88␀\n");
    assert_eq!(file(&golden(), "passwd.cache.ixuid"), "20002␀46␀\n20003␀88␀\n20008␀0␀␀\n");
    assert_eq!(file(&golden(), "shadow.cache.ixname"), "alice␀0␀␀\nbob␀15␀␀␀\ncarol␀28␀\n");
    assert_eq!(file(&golden(), "sshkey.cache.ixname"), "alice␀0␀␀␀\nbob␀104␀␀␀\ncarol␀303␀\n");
}

// sec:W-08
#[test]
fn offsets_count_bytes_and_numbers_sort_as_text() {
    let mut state = State::default();
    state.add_account(account("ada", "2000", "2000", "Älice Müller 漢字", &[])).unwrap();
    state.add_account(account("bob", "10000", "10000", "", &[])).unwrap();
    let line = "ada:x:2000:2000:Älice Müller 漢字:/home/ada:/bin/bash\n";
    assert!(file(&state, "passwd.cache").starts_with(line));
    assert_eq!(file(&state, "passwd.cache.ixuid"), format!("10000␀{}␀\n2000␀0␀␀␀\n", line.len()));
}

// sec:W-05
#[test]
fn modes_are_those_of_the_real_writer() {
    let modes: Vec<_> =
        encode(&golden()).iter().map(|file| format!("{} {:o}", file.name, file.mode)).collect();
    insta::assert_snapshot!(modes.join("\n"), @r"
    passwd.cache 644
    passwd.cache.ixname 644
    passwd.cache.ixuid 644
    group.cache 644
    group.cache.ixname 644
    group.cache.ixgid 644
    shadow.cache 640
    shadow.cache.ixname 640
    sshkey.cache 444
    sshkey.cache.ixname 644
    ");
}

fn read(passwd: &str, group: &str, shadow: &str, sshkey: &str) -> Result<State, ReadError> {
    decode(passwd.as_bytes(), group.as_bytes(), shadow.as_bytes(), sshkey.as_bytes())
}

/// The message for one line of `passwd` beside sound other maps.
fn passwd_error(line: &str) -> String {
    read(line, "", "ada:*:::::::\n", "ada:\n").unwrap_err().to_string()
}

#[test]
fn what_was_written_is_read_back_in_any_order() {
    let state = golden();
    let maps = ["passwd.cache", "group.cache", "shadow.cache", "sshkey.cache"]
        .map(|name| file(&state, name));
    let [passwd, group, shadow, sshkey] = &maps;
    assert_eq!(read(passwd, group, shadow, sshkey), Ok(state.clone()));
    let reversed = maps
        .each_ref()
        .map(|map| map.lines().rev().map(|line| format!("{line}\n")).collect::<String>());
    let [passwd, group, shadow, sshkey] = &reversed;
    assert_eq!(read(passwd, group, shadow, sshkey), Ok(state));
    assert_eq!(read("", "", "", ""), Ok(State::default()));
}

// sec:U-01 — what other readers pass: empty names, `+` lines, comments, carriage returns, spare zeros
#[test]
fn a_line_that_no_writer_leaves_is_refused() {
    let good = "ada:x:20001:20001:Ada:/home/ada:/bin/sh\n";
    assert!(read(good, "", "ada:*:::::::\n", "ada:\n").is_ok());
    insta::assert_snapshot!(passwd_error("ada:x:20001:20001:Ada:/home/ada\n"), @"passwd.cache line 1: 6 fields: expected 7");
    insta::assert_snapshot!(passwd_error("ada:x:20001:20001:Gra:ce:/home/ada:/bin/sh\n"), @"passwd.cache line 1: 8 fields: expected 7");
    insta::assert_snapshot!(passwd_error("ada:*:20001:20001:Ada:/home/ada:/bin/sh\n"), @"passwd.cache line 1: expected no password");
    insta::assert_snapshot!(passwd_error(":x:20001:20001:Ada:/home/ada:/bin/sh\n"), @"passwd.cache line 1: the name is empty: expected a lower-case letter first");
    insta::assert_snapshot!(passwd_error("+ada:x:20001:20001:Ada:/home/ada:/bin/sh\n"), @"passwd.cache line 1: `+ada` has `+` at byte 0: expected a lower-case letter, then letters, digits, `_` and `-`");
    insta::assert_snapshot!(passwd_error("ada:x:020001:20001:Ada:/home/ada:/bin/sh\n"), @"passwd.cache line 1: `020001` is no number: expected decimal digits without sign, blank or leading zero");
    insta::assert_snapshot!(passwd_error("ada:x:20001:20001:Ada:/home/ada:/bin/sh\r\n"), @r"passwd.cache line 1: `/bin/sh\r` has `\r` at byte 7: expected ASCII letters, digits and `/._-+@`");
    insta::assert_snapshot!(passwd_error("ada:x:20001:20001:A,B:/home/ada:/bin/sh\n"), @"passwd.cache line 1: `A,B` is no GECOS field: expected at most 256 bytes without `:`, `,`, control characters or spare blanks");
    insta::assert_snapshot!(passwd_error(good.trim_end()), @"passwd.cache line 0: expected an end of line: the file is cut");
    insta::assert_snapshot!(passwd_error(&format!("{good}{good}")), @"passwd.cache line 2: `ada` is not in every map: expected the same accounts in passwd, shadow and sshkey");
    insta::assert_snapshot!(passwd_error(&format!("{good}\n")), @"passwd.cache line 2: 1 fields: expected 7");
    insta::assert_snapshot!(passwd_error(&good.replace("ada:", "eve:")), @"passwd.cache line 1: `eve` is not in every map: expected the same accounts in passwd, shadow and sshkey");
    insta::assert_snapshot!(passwd_error(""), @"shadow.cache line 0: `ada` is not in every map: expected the same accounts in passwd, shadow and sshkey");
    let zero = passwd_error("ada:x:0:0:Ada:/home/ada:/bin/sh\n");
    assert!(zero.starts_with("passwd.cache line 1: `0` is root"), "{zero}");
    let latin1 = decode(
        b"ada:x:20001:20001:M\xfcller:/home/ada:/bin/sh\n",
        b"",
        b"ada:*:::::::\n",
        b"ada:\n",
    );
    assert_eq!(latin1, Err(ReadError { map: Map::Passwd, line: 0, kind: ReadErrorKind::Encoding }));
}

// sec:U-16
#[test]
fn the_other_maps_are_read_as_strictly() {
    let good = "ada:x:20001:20001:Ada:/home/ada:/bin/sh\n";
    let error = |group: &str, shadow: &str, sshkey: &str| {
        read(good, group, shadow, sshkey).unwrap_err().to_string()
    };
    let (open, none) = ("ada:*:::::::\n", "ada:\n");
    insta::assert_snapshot!(error("", "ada:$6$x:::::::\n", none), @"shadow.cache line 1: expected no password");
    insta::assert_snapshot!(error("", "ada::::::::\n", none), @"shadow.cache line 1: expected no password");
    insta::assert_snapshot!(error("", "ada:*:1::::::\n", none), @"shadow.cache line 1: expected the other fields to be empty");
    insta::assert_snapshot!(error("", "ada:*::::::\n", none), @"shadow.cache line 1: 8 fields: expected 9");
    insta::assert_snapshot!(error("", &open.repeat(2), none), @"shadow.cache line 2: `ada` stands there twice: expected each name once");
    insta::assert_snapshot!(error("", "ada:!*:::::::\n", none), @"passwd.cache line 1: `ada` is locked and has a shell or keys: expected neither");
    insta::assert_snapshot!(error("", open, "ada\n"), @"sshkey.cache line 1: 1 fields: expected 2");
    insta::assert_snapshot!(error("", open, "ada:['x']\n"), @"sshkey.cache line 1: the line is no canonical public key: expected `type base64 comment` in printable ASCII");
    insta::assert_snapshot!(error("", open, "ada:[x]\n"), @"sshkey.cache line 1: expected nothing, one key, or a list of quoted keys");
    insta::assert_snapshot!(error("", open, "ada:\neve:\n"), @"sshkey.cache line 0: `eve` is not in every map: expected the same accounts in passwd, shadow and sshkey");
    insta::assert_snapshot!(error("lab:x:10001\n", open, none), @"group.cache line 1: 3 fields: expected 4");
    insta::assert_snapshot!(error("lab:y:10001:\n", open, none), @"group.cache line 1: expected no password");
    insta::assert_snapshot!(error("lab:x:10001:ada,ada\n", open, none), @"group.cache line 1: `ada` is a member twice: expected each once");
    insta::assert_snapshot!(error("lab:x:10001:ada,\n", open, none), @"group.cache line 1: the name is empty: expected a lower-case letter first");
    insta::assert_snapshot!(error("lab:x:10001:eve\n", open, none), @"group.cache line 1: group `lab` has the member `eve`: expected only accounts that are open");
    insta::assert_snapshot!(error("sudo:x:10001:ada\n", open, none), @"group.cache line 1: `sudo` is reserved: a system account or privileged group has that name on a node");
    let name: PosixName = "lab".parse().unwrap();
    let twice = read(good, "lab:x:10001:\nlab:x:10002:\n", open, none);
    assert_eq!(
        twice,
        Err(ReadError {
            map: Map::Group,
            line: 2,
            kind: ReadErrorKind::Clash(Clash::Name { name })
        })
    );
}

// Both forms that nsscache's own writers left
#[test]
fn lists_of_keys_are_read_without_evaluating_them() {
    let list = |keys: &[&str]| Some(keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>());
    assert_eq!(read_keys(&format!("['{K1}', \"{K2}\"]")), list(&[K1, K2]));
    assert_eq!(read_keys(&format!("[\"{K2}\"]")), list(&[K2]));
    assert_eq!(read_keys(K2), list(&[K2]));
    assert_eq!(read_keys(""), list(&[]));
    assert_eq!(read_keys("[]"), list(&[]));
    assert_eq!(read_keys(r"['a\'b\\c']"), list(&[r"a'b\c"]));
    for bad in [
        "[",
        "['a'",
        "['a]",
        "['a',]",
        "['a', ]",
        "['a','b']",
        "['a' 'b']",
        "[a]",
        "['a'], 'b'",
        "[['a']]",
        "['a\\n']",
        "['a\\x00']",
        "[u'a']",
        "['a' + 'b']",
        "['a'] ",
        "['a', __import__('os')]",
    ] {
        assert_eq!(read_keys(bad), None, "{bad}");
    }
}
