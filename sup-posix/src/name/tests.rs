use super::*;

fn error(text: &str) -> String {
    PosixName::new(text).unwrap_err().to_string()
}

// sec:U-01
#[test]
fn the_pattern_holds_at_each_boundary() {
    for good in ["a", "z", "a0", "a-b", "a_b", "a-", &"a".repeat(32)] {
        assert_eq!(PosixName::new(good).unwrap().as_str(), good);
    }
    insta::assert_snapshot!(error(""), @"the name is empty: expected a lower-case letter first");
    insta::assert_snapshot!(error(&"a".repeat(33)), @"`aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa` has 33 bytes: expected at most 32");
    insta::assert_snapshot!(error("ada:x:0:0"), @"`ada:x:0:0` has `:` at byte 3: expected a lower-case letter, then letters, digits, `_` and `-`");
    for (text, at) in [
        ("Ada", 0),
        ("0a", 0),
        ("-a", 0),
        ("_a", 0),
        ("+a", 0),
        (" a", 0),
        ("ä", 0),
        ("аda", 0),
        ("a.b", 1),
        ("a b", 1),
        ("a,b", 1),
        ("a/b", 1),
        ("a\n", 1),
        ("a\0", 1),
        ("a$", 1),
        ("a@b", 1),
        ("aä", 1),
        ("a\u{200b}", 1),
        ("a#", 1),
    ] {
        match PosixName::new(text) {
            Err(NameError::Character { at: found, .. }) => assert_eq!(found, at, "{text}"),
            other => panic!("{text}: {other:?}"),
        }
    }
}

// sec:U-08 dom:b-40
#[test]
fn a_reserved_name_is_refused_in_each_disguise() {
    insta::assert_snapshot!(error("root"), @"`root` is reserved: a system account or privileged group has that name on a node");
    let full_width = |name: &str| -> String {
        name.chars()
            .map(|c| {
                char::from_u32(u32::from(c) + 0xfee0)
                    .filter(|_| c.is_ascii_lowercase())
                    .unwrap_or(c)
            })
            .collect()
    };
    for name in reserved::RESERVED.iter().filter(|name| !name.starts_with('_')) {
        let reserved = NameError::Reserved { name: (*name).into() };
        assert_eq!(PosixName::new(name), Err(reserved.clone()));
        for disguise in [
            name.to_uppercase(),
            full_width(name),
            format!("{name}@example.com"),
            format!(" {name}. "),
        ] {
            assert_eq!(derive_name(&disguise), Err(reserved.clone()), "{disguise}");
        }
        assert_eq!(derive_group_name(&name.to_uppercase()), Err(reserved));
    }
    assert_eq!(error("systemd-oom"), error("root").replace("root", "systemd-oom"));
}

// dom:b-1 dom:b-39
#[test]
fn a_login_name_is_derived_from_the_local_part() {
    for (from, name) in [
        ("ada@example.com", "ada"),
        ("Ada.Byron@example.com", "ada-byron"),
        ("ada+gpu_team@x", "ada-gpu-team"),
        ("José Núñez", "jose-nunez"),
        ("..ada..", "ada"),
        ("a--b", "a-b"),
        ("42@x", "u-42"),
        ("o'brien", "obrien"),
        ("ＡＤＡ@x", "ada"),
        ("ada\n:0:0", "ada00"),
        ("a@b@c", "ab"),
    ] {
        assert_eq!(derive_name(from).unwrap().as_str(), name, "{from}");
    }
    let long = format!("{}.{}@x", "a".repeat(31), "b");
    assert_eq!(derive_name(&long).unwrap().as_str(), "a".repeat(31));
    assert_eq!(
        derive_name(&format!("{}@x", "1".repeat(40))).unwrap().as_str(),
        format!("u-{}", "1".repeat(30))
    );
    insta::assert_snapshot!(derive_name("Ада@example.com").unwrap_err(), @"no name can be made of `Ада@example.com`: it has no Latin letter or digit");
    assert_eq!(derive_name("@x"), Err(NameError::Underivable { from: "@x".into() }));
}

// dom:b-15
#[test]
fn a_group_name_is_the_whole_display_name_made_plain() {
    assert_eq!(derive_group_name("ML Research, EU").unwrap().as_str(), "ml-research-eu");
    assert_eq!(derive_group_name("team@example").unwrap().as_str(), "teamexample");
    assert_eq!(derive_group_name("2nd floor").unwrap().as_str(), "g-2nd-floor");
    assert_eq!(derive_group_name("漢字"), Err(NameError::Underivable { from: "漢字".into() }));
}

// dom:b-2
#[test]
fn the_next_candidate_still_fits() {
    let name = |text: &str| PosixName::new(text).unwrap();
    assert_eq!(name("ada").numbered(2).unwrap(), name("ada-2"));
    assert_eq!(
        name(&"a".repeat(32)).numbered(10).unwrap(),
        name(&format!("{}-10", "a".repeat(29)))
    );
    assert_eq!(
        name(&format!("{}-bc", "a".repeat(29))).numbered(2).unwrap(),
        name(&format!("{}-2", "a".repeat(29)))
    );
    assert_eq!(name(&"a".repeat(32)).numbered(u32::MAX).unwrap().as_str().len(), 32);
}

proptest::proptest! {
    #![proptest_config(crate::fixed_seed(15))]

    // sec:U-01
    #[test]
    fn what_is_derived_is_a_name_or_a_reason(text in "\\PC{0,60}|[a-z0-9@._+ -]{0,60}") {
        match derive_name(&text) {
            Ok(name) => proptest::prop_assert_eq!(PosixName::new(name.as_str()), Ok(name)),
            Err(NameError::Reserved { .. } | NameError::Underivable { .. }) => {}
            Err(other) => proptest::prop_assert!(false, "{} for {:?}", other, text),
        }
    }
}
