//! The files that `libnss-cache` and an `AuthorizedKeysCommand` read: four maps and their indexes.
//!
//! [`encode`] and [`decode`] are inverse; [`FileTarget`] puts a whole set on disk and switches to it in one step.

mod decode;
mod encode;
mod generation;
mod manifest;
mod target;

pub use self::{
    decode::{ReadError, ReadErrorKind, decode, read_keys},
    encode::{MapFile, encode},
    target::{FileError, FileTarget},
};

#[cfg(test)]
mod tests;
