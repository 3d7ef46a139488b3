//! What goes wrong between SQLite and the contract.

use rusqlite::ErrorCode;
use scim_core::store::StoreError;

pub(super) type Result<T> = std::result::Result<T, Failure>;

/// Either the contract's own answer, or SQLite's trouble, which [`StoreError`] has only two words for.
#[derive(Debug)]
pub(super) enum Failure {
    Store(StoreError),
    Sqlite(rusqlite::Error),
    /// The work was broken off, for it took longer than it may.
    Late,
    /// The file lacks what this process has noted: an older copy was put in its place.
    SetBack,
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::Store(StoreError::Corrupt(format!("a document is not JSON: {error}")))
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Store(error) => error,
            Failure::Late => Self::Unavailable("interrupted".to_owned()),
            Failure::SetBack => Self::Unavailable("the file was set back".to_owned()),
            Failure::Sqlite(error) if is_damage(&error) => Self::Corrupt(error.to_string()),
            // The statement was not to be had, and is nobody's business.
            Failure::Sqlite(rusqlite::Error::SqlInputError { msg, .. }) => Self::Unavailable(msg),
            Failure::Sqlite(error) => Self::Unavailable(error.to_string()),
        }
    }
}

/// A full disk, a file that may not be written, a lock that is not given back: all of those may pass. These do not.
fn is_damage(error: &rusqlite::Error) -> bool {
    match error {
        rusqlite::Error::SqliteFailure(error, _) => matches!(
            error.code,
            ErrorCode::DatabaseCorrupt
                | ErrorCode::NotADatabase
                | ErrorCode::ConstraintViolation
                | ErrorCode::TypeMismatch
        ),
        rusqlite::Error::SqlInputError { .. } => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_that_sqlite_refuses_is_no_damage_and_is_not_told() {
        let sql = rusqlite::Connection::open_in_memory().unwrap();
        let refused = sql.prepare("SELECT secret WHERE 1 = 1").unwrap_err();
        assert!(matches!(refused, rusqlite::Error::SqlInputError { .. }), "{refused:?}");
        let expected = StoreError::Unavailable("no such column: secret".to_owned());
        assert_eq!(StoreError::from(Failure::from(refused)), expected);
    }
}
