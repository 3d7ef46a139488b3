//! Which notes a reader may find as the last one of the file. Another one tells that an older copy
//! was put in the place of the file, or that another process has written, and the file is held
//! against its ledger before anything is read.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::Noted;

/// How many notes are remembered: more than are written while a reader begins. Of one that is not
/// there any more, the ledger is asked.
const RECENT: usize = 64;

/// Shared by the writer of a file and its readers.
#[derive(Debug, Default)]
pub(in crate::sqlite) struct Seen(Mutex<Recent>);

#[derive(Debug, Default)]
struct Recent {
    /// The latest last, with a serial number.
    notes: VecDeque<(u64, Noted)>,
    /// The serial number of the latest one that the file has for sure.
    agreed: u64,
}

impl Seen {
    /// A transaction that is about to commit makes this the last note of the file.
    pub(super) fn expect(&self, noted: Noted) {
        self.lock().push(noted);
    }

    /// The file has this note, and is known to agree with its ledger.
    pub(super) fn agree(&self, noted: Noted) {
        let mut recent = self.lock();
        let serial = match recent.notes.back() {
            Some((serial, last)) if *last == noted => *serial,
            _ => recent.push(noted),
        };
        recent.agreed = serial;
    }

    /// From which serial number on a view of the file that begins now has its last note.
    pub(in crate::sqlite) fn floor(&self) -> u64 {
        self.lock().agreed
    }

    /// Whether a view that began after a floor was asked for may have this as its last note.
    pub(in crate::sqlite) fn allows(&self, noted: Noted, floor: u64) -> bool {
        self.lock().notes.iter().any(|(serial, note)| *serial >= floor && *note == noted)
    }

    fn lock(&self) -> MutexGuard<'_, Recent> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Recent {
    fn push(&mut self, noted: Noted) -> u64 {
        let serial = self.notes.back().map_or(0, |(serial, _)| serial + 1);
        self.notes.push_back((serial, noted));
        if self.notes.len() > RECENT {
            self.notes.pop_front();
        }
        serial
    }
}

#[cfg(test)]
mod tests {
    use scim_core::store::Stamp;

    use super::*;

    fn noted(number: i64) -> Noted {
        Noted { number, stamp: Stamp(7) }
    }

    #[test]
    fn a_view_has_the_note_that_was_agreed_on_when_it_began_or_a_later_one() {
        let seen = Seen::default();
        seen.agree(noted(1));
        let floor = seen.floor();
        seen.expect(noted(2));
        assert!(seen.allows(noted(1), floor) && seen.allows(noted(2), floor));
        assert!(!seen.allows(noted(3), floor), "of another process");
        assert!(!seen.allows(Noted { number: 2, stamp: Stamp(8) }, floor), "of another file");
        seen.agree(noted(2));
        assert!(!seen.allows(noted(1), seen.floor()), "the file was set back");
        assert!(seen.allows(noted(1), floor), "a view may have begun before");
        // A ledger that is set back too counts on from its end.
        seen.agree(noted(1));
        assert!(seen.allows(noted(1), seen.floor()) && !seen.allows(noted(2), seen.floor()));
        (0..100).for_each(|number| seen.expect(noted(number)));
        assert!(!seen.allows(noted(1), seen.floor()), "it is forgotten, and the ledger is asked");
    }
}
