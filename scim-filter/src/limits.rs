//! What a text may cost and which extensions of the grammar it may use.

/// What a filter or path from outside may cost; checked before a tree exists.
///
/// ```
/// use scim_filter::{Filter, Limits, Syntax};
///
/// let mut limits = Limits::default();
/// limits.terms = 2;
/// let three = Filter::parse("a pr or b pr or c pr", &Syntax::STRICT, &limits);
/// assert_eq!(three.unwrap_err().to_string(), "more than 2 terms at byte 16");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The longest text, in bytes. More than [`Limits::MAX_BYTES`] counts as that.
    pub bytes: usize,
    /// How many `(` and `[` may be open at once. More than [`Limits::MAX_DEPTH`] counts as that.
    pub depth: usize,
    /// How many comparisons and `pr` tests; a value path counts its own terms.
    pub terms: usize,
}

impl Limits {
    /// The depth that no caller can lift: all that walks a tree recurses at most this far, parsing,
    /// printing, binding, evaluating and dropping on a stack of 256 KiB.
    pub const MAX_DEPTH: usize = 48;

    /// The length that no caller can lift: 1 GiB.
    pub const MAX_BYTES: usize = 1 << 30;

    pub(crate) fn max_bytes(&self) -> usize {
        self.bytes.min(Self::MAX_BYTES)
    }

    pub(crate) fn max_depth(&self) -> usize {
        self.depth.min(Self::MAX_DEPTH)
    }
}

impl Default for Limits {
    /// 16 KiB, depth 32, 256 terms: room for what identity providers send, below what databases
    /// refuse (SQLite takes 1,000 terms).
    fn default() -> Self {
        Self { bytes: 16 * 1024, depth: 32, terms: 256 }
    }
}

/// Which forms outside RFC 7644's grammar are read; all off in [`Syntax::STRICT`].
///
/// ```
/// use scim_filter::Syntax;
///
/// const ONLY_BARE: Syntax = {
///     let mut syntax = Syntax::STRICT;
///     syntax.bare_literals = true;
///     syntax
/// };
/// assert!(!ONLY_BARE.value_path_comparison);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Syntax {
    /// `emails[type eq "work"].value eq "x"`, read as `emails[type eq "work" and value eq "x"]`, and
    /// `emails[type eq "work"] eq "x"`, which means `.value`. Entra ID sends both.
    pub value_path_comparison: bool,
    /// `externalId eq jyoung`: text without quotes, up to the next blank, quote or bracket, where it
    /// is not `true`, `false`, `null`, a number, `and`, `or`, `not`, nor begins with `'`.
    pub bare_literals: bool,
}

impl Syntax {
    /// RFC 7644 and its errata, with blanks forgiven where they cannot change the meaning.
    pub const STRICT: Self = Self { value_path_comparison: false, bare_literals: false };
    /// All that identity providers are known to send and that can mean only one thing.
    pub const TOLERANT: Self = Self { value_path_comparison: true, bare_literals: true };
}
