//! The fold over all of Unicode.

use scim_filter::{
    Attribute, Bound, Case, FOLD_VERSION, Location, Op, Operand, Scalar, Type, fold, fold_name,
    is_invisible,
};

#[test]
fn texts_that_are_the_same() {
    // rfc:FIL-34 rfc:I18-01 rfc:I18-02 rfc:I18-03
    for (a, b) in [
        ("BJENSEN", "bjensen"),
        ("A\u{30A}", "\u{C5}"),
        ("\u{212B}", "\u{E5}"),
        ("ＡＢＣ", "abc"),
        ("ÄB", "äb"),
        ("ΣΊΣΥΦΟΣ", "σίσυφοσ"),
        ("Test User", "TEST USER"),
    ] {
        assert_eq!(fold(a), fold(b));
        assert_eq!(fold_name(a), fold_name(b));
    }
    assert_eq!(fold("Straße"), "strasse");
    assert_eq!(fold_name("Straße"), "straße");
    assert_eq!(fold_name("Straße 1"), "strasse 1");
    // No locale: the dotless i is another letter, the dotted I is i and a dot.
    assert_ne!(fold("ı"), fold("i"));
    assert_eq!(fold("İ"), "i\u{307}");
    assert_eq!(Case::Exact.key("Straße"), "Straße");
}

#[test]
fn text_in_lower_case_is_not_copied() {
    use std::borrow::Cow;
    assert!(matches!(fold("bjensen@example.com"), Cow::Borrowed(_)));
    assert!(matches!(fold_name("bjensen@example.com"), Cow::Borrowed(_)));
}

/// Each way to compare that does not look at letter case.
const FOLDS: [Case; 3] = [Case::Folded, Case::Name, Case::Label];

/// A character alone, first, last and between letters; in a text that the profile of names refuses; beside a
/// blank.
fn places(c: &str) -> [String; 7] {
    [
        c.to_owned(),
        format!("{c}bc"),
        format!("ab{c}"),
        format!("a{c}b"),
        format!("ΟΔΟ{c}"),
        format!("{c} 1"),
        format!("1 {c}"),
    ]
}

/// Where a character stands in a word does not count, and neither does which table knows its other case.
#[test]
fn both_cases_of_a_character_fold_alike() {
    let mut pairs = 0;
    let mut apart = [const { String::new() }; 3];
    for c in '\0'..=char::MAX {
        let (lower, upper) = (c.to_lowercase().to_string(), c.to_uppercase().to_string());
        let c = c.to_string();
        if lower == c && upper == c {
            continue;
        }
        pairs += 1;
        for (case, apart) in FOLDS.into_iter().zip(&mut apart) {
            let mut is_apart = false;
            for ((text, lower), upper) in places(&c).iter().zip(places(&lower)).zip(places(&upper))
            {
                for lower in [lower, text.to_lowercase()] {
                    assert_eq!(case.key(text), case.key(&lower), "{case:?}");
                    assert!(finds(case, text, &lower), "{case:?} {text} {lower}");
                }
                is_apart |= case.key(text) != case.key(&upper);
                assert_eq!(finds(case, text, &upper), case.key(text) == case.key(&upper));
            }
            apart.extend(is_apart.then_some(&*c));
        }
    }
    assert!(pairs > 2800, "{pairs}");
    // Whose capitals are those of other letters.
    assert_eq!(apart, ["ı", "ßı", "ı"]);
}

/// Whether a filter for one text finds another.
fn finds(case: Case, text: &str, wanted: &str) -> bool {
    let attribute = Attribute::new(Location::new("name"), Type::String).case(case);
    let operand = Operand::Text(case.key(wanted).into());
    Bound::Compare { attribute, op: Op::Eq, operand }.matches(&Scalar::Text(text))
}

#[test]
fn white_space_around_and_between_the_words_of_a_name_is_one_blank() {
    let spaces: Vec<char> = ('\0'..=char::MAX).filter(|c| c.is_whitespace()).collect();
    assert_eq!(spaces.len(), 25);
    for (a, b) in spaces.iter().flat_map(|a| spaces.iter().map(move |b| (a, b))) {
        for text in [
            format!("{a}Data Team"),
            format!("Data Team{a}"),
            format!("Data{a}Team"),
            format!("{b}{a}Data{a}{b}Team{a}{b}"),
        ] {
            for case in [Case::Name, Case::Label] {
                assert_eq!(case.key(&text), "data team", "{text:?}");
                assert!(finds(case, &text, "data team") && finds(case, "DATA Team", &text));
                assert!(case.is_blank(&format!("{a}{b}")));
            }
            assert_ne!(Case::Folded.key(&format!("{text}{a}")), "data team");
        }
    }
}

/// In a name under which people sign in they would make a second one that looks the same: they count, so that no name without them is
/// found by one with them. In a label they do not.
#[test]
fn characters_that_leave_no_mark() {
    let mut seen = 0;
    for c in ('\0'..=char::MAX).filter(|c| is_invisible(*c)) {
        seen += 1;
        for (text, without) in places(&c.to_string()).iter().zip(places("")) {
            assert_eq!(Case::Label.key(text), Case::Label.key(&without), "{c:?}");
            assert!(finds(Case::Label, text, &without) && finds(Case::Label, &without, text));
            for case in [Case::Name, Case::Folded] {
                assert!(case.key(text).contains(is_invisible), "{c:?}");
                assert!(!finds(case, &without, text) && !finds(case, text, &without));
            }
        }
        assert!(Case::Label.is_blank(&format!(" {c}")) && !Case::Name.is_blank(&c.to_string()));
    }
    // Another number means another Unicode table: raise FOLD_VERSION.
    assert_eq!(seen, 4206);
}

#[test]
fn nothing_is_left_of_a_blank_name_and_something_of_any_other() {
    for c in ('\0'..=char::MAX).filter(|c| !uniform(*c)) {
        for text in [format!("{c}"), format!(" {c}\u{2003}")] {
            for case in [Case::Name, Case::Label] {
                assert_eq!(case.is_blank(&text), case.key(&text).is_empty(), "{case:?} {text:?}");
            }
        }
    }
}

/// Every character by itself, beside others, and under the mark that folding reorders.
#[test]
fn all_folds_are_total_and_idempotent_and_versioned() {
    let mut seen = Fnv(0xcbf2_9ce4_8422_2325);
    for c in ('\0'..=char::MAX).filter(|c| !uniform(*c)) {
        for text in [format!("{c}"), format!("a{c}\u{345}"), format!("{c} A")] {
            for case in FOLDS {
                let key = case.key(&text);
                assert_eq!(case.key(&key), key, "{c:?}");
                seen.add(&key);
            }
        }
    }
    // Another number here means another Unicode table: raise FOLD_VERSION, and say so in the notes.
    assert_eq!((FOLD_VERSION, seen.0), (2, 3_699_160_973_154_514_999));
}

/// Characters of blocks where each stands for itself: private use, unassigned planes, the inside of the
/// large ideograph and syllable blocks.
fn uniform(c: char) -> bool {
    let inside = |from: u32, to: u32| (from..to).contains(&u32::from(c));
    inside(0x4E10, 0x9FE0)
        || inside(0xAC10, 0xD790)
        || inside(0xE010, 0xF8F0)
        || inside(0x20010, 0x2A6C0)
        || inside(0x2A6F0, 0x2F7F0)
        || inside(0x30010, 0xE0000)
        || inside(0xE0200, 0x10_FF00)
}

struct Fnv(u64);

impl Fnv {
    fn add(&mut self, text: &str) {
        for b in text.bytes().chain([0xff]) {
            self.0 = (self.0 ^ u64::from(b)).wrapping_mul(0x100_0000_01b3);
        }
    }
}
