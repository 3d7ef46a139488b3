//! Records by which others were taken over, as the real reader of the day let them through.

use sup_posix::{Person, files::encode};

use crate::acme::*;

/// What stands in a map after the spoilt record was read with everybody else.
fn map(name: &str, spoil: impl Fn(&mut Person)) -> String {
    let mut directory = acme();
    spoil(of(&mut directory, "bob"));
    let projection = projected(&directory);
    let file = encode(projection.desired.state()).into_iter().find(|file| file.name == name);
    String::from_utf8(file.unwrap().bytes).unwrap()
}

const ADA: &str = "ada:x:20001:20001:The ada:/home/ada:/bin/bash\n";

// sec:U-01 — a newline in a display name wrote a second line, and `zed` was root
#[test]
fn a_display_name_stays_in_its_field() {
    let crafted =
        map("passwd.cache", |bob| bob.formatted = Some("x:/h:/bin/sh\nada:x:0:0:g".into()));
    assert_eq!(
        crafted,
        format!("{ADA}bob:x:20002:20002:x /h /bin/sh ada x 0 0 g:/home/bob:/bin/bash\n")
    );
    let colon = map("passwd.cache", |bob| bob.formatted = Some("Gra:ce Hopper".into()));
    assert_eq!(colon, format!("{ADA}bob:x:20002:20002:Gra ce Hopper:/home/bob:/bin/bash\n"));
}

// sec:U-01 — a newline in a name aborted the run for everybody
#[test]
fn a_name_with_a_newline_leaves_out_one_record() {
    for name in [
        "bob\n",
        "bob\nroot:x:0:0::/:/bin/sh",
        "bob\r",
        "bob:x",
        "bob\0",
        "#bob",
        "+bob",
        "-bob",
        "+@all",
        "",
    ] {
        assert_eq!(map("passwd.cache", |bob| bob.name = Some(name.into())), ADA, "{name:?}");
    }
}

// sec:U-04 dom:b-2 — the last record of a name took over the account with its number and keys
#[test]
fn a_second_record_of_a_name_takes_over_nothing() {
    let site = Site::holding(&acme());
    let mut directory = acme();
    let thief = Person {
        id: "u-thief".into(),
        keys: vec![OTHER_KEY.into()],
        ..crate::acme::person("ada", 20_009)
    };
    directory.users.push(thief);
    directory.groups[0].members.push("u-thief".into());
    let projection = site.project(&directory, now());
    assert_eq!(projection.desired.state(), site.state());
    insta::assert_snapshot!(lines(&projection.quarantine), @"user `ada@example.com` (u-thief) is left out: the name `ada` was given to user `u-ada`: names never change hands, assign another");
}

// sec:K-05 — a newline in a key became a second line of authorized_keys
#[test]
fn a_key_is_one_line() {
    for key in [
        format!("{KEY}\nroot:pwned"),
        format!("{KEY}\n{OTHER_KEY}"),
        format!("{KEY}\r{OTHER_KEY}"),
        format!("']\nada:['{KEY}"),
    ] {
        let sshkey = map("sshkey.cache", |bob| bob.keys = vec![key.clone()]);
        assert_eq!(sshkey, format!("ada:['{KEY}', '{OTHER_KEY}']\nbob:\n"), "{key:?}");
    }
    let comment = map("sshkey.cache", |bob| bob.keys = vec![format!("{KEY}', 'ssh-rsa x\\n\"]")]);
    assert_eq!(comment.lines().last().unwrap(), format!("bob:['{KEY}, ssh-rsa xn]']"));
}

// sec:U-05 — a number above 2^31 was written, and found by name only
#[test]
fn a_number_that_no_index_can_hold_is_left_out() {
    for uid in [3_000_000_000, 2_147_483_648, 2_147_483_647, 4_294_967_295, 4_294_987_298, 0, -1] {
        assert_eq!(map("passwd.cache", |bob| bob.uid = Some(uid)), ADA, "{uid}");
    }
}

// dom:b-29 — members, homes and shells cannot carry a separator either
#[test]
fn homes_and_shells_carry_no_separator() {
    let fine = format!("{ADA}bob:x:20002:20002:The bob:/home/bob:/bin/bash\n");
    for text in [
        "/home/bob:/bin/sh\nroot",
        "/home/bob\n",
        "/home/bob\r",
        "/bin/sh:",
        "/bin/sh\nx:x:0:0::/:/bin/sh",
        "\n",
        ":",
    ] {
        assert_eq!(map("passwd.cache", |bob| bob.home = Some(text.into())), fine, "{text:?}");
        assert_eq!(map("passwd.cache", |bob| bob.shell = Some(text.into())), fine, "{text:?}");
    }
}
