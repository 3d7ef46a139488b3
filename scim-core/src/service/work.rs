//! What the operations of one bulk request may cost together: as much as one PATCH may.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::ScimError;

/// The work that is left to a bulk request, in values of resources that its operations look at.
#[derive(Debug)]
pub(super) struct Work {
    left: AtomicUsize,
    whole: usize,
}

impl Work {
    pub(super) fn new(whole: usize) -> Self {
        Self { left: AtomicUsize::new(whole.saturating_add(1)), whole }
    }

    pub(super) fn spend(&self, work: usize) -> Result<(), ScimError> {
        let left = self.left.load(Ordering::Relaxed).saturating_sub(work);
        // What did not suffice for one operation is not kept for others: they would look at much
        // before they are refused.
        self.left.store(left, Ordering::Relaxed);
        match left {
            1.. => Ok(()),
            0 => Err(ScimError::too_large(format!(
                "the operations of one bulk request look at more than {} values; send the rest in another one",
                self.whole
            ))),
        }
    }
}
