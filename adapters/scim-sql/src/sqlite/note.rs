//! What a batch gives out and ends, as it is noted in the ledger.

use scim_core::store::LogEnd;

/// How many numbers are noted at once: one create in so many costs a flush, and no restore skips
/// more numbers of a range.
const BLOCK: i64 = 64;

/// What of a batch must outlive every copy of the file.
#[derive(Debug, Default)]
pub(super) struct Note {
    pub(super) tenant: String,
    /// The end of the log before the batch.
    pub(super) before: LogEnd,
    /// The end of the log with the batch.
    pub(super) end: LogEnd,
    /// When, in microseconds.
    pub(super) at: i64,
    pub(super) claims: Vec<Given>,
    /// Kinds and ids of what was deleted, or has ended and is still there to be read.
    pub(super) gone: Vec<(String, String)>,
    pub(super) blocks: Vec<Block>,
}

impl Note {
    pub(super) fn is_empty(&self) -> bool {
        self.claims.is_empty() && self.gone.is_empty() && self.blocks.is_empty()
    }

    /// Whether it has to be on the disk before the batch commits. A claim need not: where the power
    /// goes, the file has it.
    pub(super) fn must_be_flushed(&self) -> bool {
        !self.gone.is_empty() || !self.blocks.is_empty()
    }
}

/// A claimed value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Given {
    pub(super) space: String,
    pub(super) value: String,
    pub(super) kind: String,
    pub(super) id: String,
}

/// Numbers that may be given out without a further note that is flushed.
#[derive(Debug)]
pub(super) struct Block {
    /// The spaces of the claims, as one text.
    pub(super) spaces: String,
    /// Where the range begins that the numbers are of.
    pub(super) first: i64,
    /// The first number that is not part of it.
    pub(super) bound: i64,
}

impl Block {
    /// The block that begins with a number of a range that ends with `last`.
    pub(super) fn from(number: i64, spaces: &str, (first, last): (i64, i64)) -> Self {
        let bound = number.saturating_add(BLOCK).min(last.saturating_add(1));
        Self { spaces: spaces.to_owned(), first, bound }
    }
}
