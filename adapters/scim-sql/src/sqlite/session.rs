//! A connection, and what it knows of the file.

use std::{
    cell::RefCell,
    ops::Deref,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};

use super::{
    failure::{Failure, Result},
    keys,
};
use crate::index::Marks;

/// A connection that remembers the marks of the file for as long as they stay the same. Another process may add some.
pub(super) struct Session {
    sql: Connection,
    marks: RefCell<(String, Arc<Marks>)>,
    deadline: Deadline,
}

/// When the read under way is broken off; none: never.
type Deadline = Arc<Mutex<Option<Instant>>>;

/// After how many of SQLite's instructions the clock is looked at.
const STRIDE: i32 = 10_000;

impl Session {
    pub(super) fn new(sql: Connection) -> Self {
        Self { sql, marks: RefCell::default(), deadline: Deadline::default() }
    }

    /// One whose work [`within`](Self::within) a time is broken off.
    pub(super) fn limited(mut sql: Connection) -> Result<Self> {
        let deadline = Deadline::default();
        let seen = Arc::clone(&deadline);
        sql.progress_handler(STRIDE, Some(move || is_over(&seen)))?;
        Ok(Self { deadline, ..Self::new(sql) })
    }

    /// Works for so long at most, and fails as [`Failure::Late`] otherwise. A statement that is under way then is interrupted.
    pub(super) fn within<R>(
        &self,
        longest: Duration,
        work: impl FnOnce() -> Result<R>,
    ) -> Result<R> {
        let set = |to| *self.deadline.lock().unwrap_or_else(PoisonError::into_inner) = to;
        set(Instant::now().checked_add(longest));
        let result = match work() {
            Err(Failure::Sqlite(error))
                if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) =>
            {
                Err(Failure::Late)
            }
            result => result,
        };
        set(None);
        result
    }

    /// Fails when the work has taken too long: for work between SQLite's instructions, or with few of them.
    pub(super) fn in_time(&self) -> Result<()> {
        match is_over(&self.deadline) {
            true => Err(Failure::Late),
            false => Ok(()),
        }
    }

    /// The marks, as of the transaction that is under way.
    pub(super) fn marks(&self) -> Result<Arc<Marks>> {
        let stamp = keys::stamp(&self.sql)?;
        let mut known = self.marks.borrow_mut();
        if known.0 != stamp {
            *known = (stamp.clone(), Arc::new(keys::marks(&self.sql, &stamp)?));
        }
        Ok(Arc::clone(&known.1))
    }
}

fn is_over(deadline: &Deadline) -> bool {
    let deadline = *deadline.lock().unwrap_or_else(PoisonError::into_inner);
    deadline.is_some_and(|deadline| Instant::now() > deadline)
}

impl Deref for Session {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.sql
    }
}

/// A transaction. One that could not even be rolled back when it failed is rolled back first.
pub(super) fn begin(sql: &Connection, behavior: TransactionBehavior) -> Result<Transaction<'_>> {
    if !sql.is_autocommit() {
        sql.execute_batch("ROLLBACK")?;
    }
    Ok(Transaction::new_unchecked(sql, behavior)?)
}
