//! Keys as the real `ssh-keygen` sees them.

use std::path::Path;

use base64::{Engine, engine::general_purpose::STANDARD};
use proptest::prelude::*;
use sup_posix::AuthorizedKey;

use scim_testkit::programs::{is_installed, skip};

use crate::programs::run;

const SOUND: &str = include_str!("../data/sound-keys.txt");

fn sound() -> Vec<&'static str> {
    SOUND.lines().filter_map(|line| Some(line.split_once(' ')?.1)).collect()
}

fn keygen_takes(line: &str) -> (bool, String) {
    run(Path::new("ssh-keygen"), &["-l", "-f", "-"], &format!("{line}\n"))
}

// sec:K-01 — nothing is accepted that ssh-keygen refuses
#[test]
fn what_is_accepted_ssh_keygen_accepts() {
    if !is_installed("ssh-keygen") {
        return skip("no ssh-keygen: install the package openssh-client");
    }
    for line in sound() {
        let (good, told) = keygen_takes(line);
        assert!(
            good && told.contains(&AuthorizedKey::parse(line).unwrap().fingerprint()),
            "{told}"
        );
    }
    let seed = ProptestConfig { cases: 1_000, ..crate::laws::fixed_seed(101) };
    let accepted = std::cell::Cell::new(0);
    let mut runner = proptest::test_runner::TestRunner::new(seed);
    let strategy = (0..sound().len(), any::<prop::sample::Index>(), any::<u8>(), 0..4u8);
    runner
        .run(&strategy, |(which, at, byte, how)| {
            let line = sound()[which];
            let mut words = line.split(' ');
            let (word, mut blob) =
                (words.next().unwrap(), STANDARD.decode(words.next().unwrap()).unwrap());
            let at = at.index(blob.len());
            match how {
                0 => blob[at] = byte,
                1 => blob.insert(at, byte),
                2 => drop(blob.remove(at)),
                _ => blob.truncate(at),
            }
            let line = format!("{word} {}", STANDARD.encode(&blob));
            if let Ok(key) = AuthorizedKey::parse(&line) {
                accepted.set(accepted.get() + 1);
                prop_assert!(keygen_takes(key.line().as_str()).0, "{}", line);
            }
            Ok(())
        })
        .unwrap();
    // Half of all changed bytes of an Ed25519 key leave a point.
    assert!(accepted.get() > 20, "{}", accepted.get());
}
