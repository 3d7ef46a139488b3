//! A model of what readers and people were ever told, and random histories of writes, kills, copies
//! and restores: no end of the log means two contents, no name or number has two owners, and what
//! has ended stays ended, as far as the files that are left can know.
//!
//! A kill is a copy of the whole folder while the store is open, with what SQLite keeps beside its
//! files: what a process that is killed leaves. Files of stores that are open are copied by another
//! process, because to close them here would end SQLite's locks.

mod model;
mod site;

use std::env;

use crate::power::Random;

use self::site::Site;

/// How many histories there are, and how many with `SOAK=1`.
const HISTORIES: (u64, u64) = (12, 3_000);

/// How many steps a history has.
const STEPS: usize = 60;

// sec:S-12
#[test]
fn no_restore_gives_an_end_two_contents_or_a_number_two_owners() {
    let soak = env::var("SOAK").is_ok_and(|soak| soak == "1");
    let histories = if soak { HISTORIES.1 } else { HISTORIES.0 };
    let only = env::var("SEED").ok().map(|seed| seed.parse::<u64>().unwrap());
    let seeds = only.map_or(1..=histories, |seed| seed..=seed);
    let mut counts = std::collections::BTreeMap::new();
    for seed in seeds {
        let mut site = Site::new(seed);
        let mut random = Random(seed);
        for _ in 0..STEPS {
            let step = site.step(&mut random);
            if only.is_some() {
                println!("{step}");
            }
            *counts.entry(step).or_insert(0) += 1;
        }
        site.end();
    }
    println!("{counts:?}");
    // Each kind of step was taken.
    assert!(only.is_some() || counts.len() >= site::KINDS, "{counts:?}");
}
