//! A connection, and what it knows of the file.

use std::{cell::RefCell, ops::Deref, sync::Arc};

use rusqlite::Connection;

use super::{failure::Result, keys};
use crate::index::Marks;

/// A connection that remembers the marks of the file for as long as they stay the same. Another process may add some.
pub(super) struct Session {
    sql: Connection,
    marks: RefCell<(String, Arc<Marks>)>,
}

impl Session {
    pub(super) fn new(sql: Connection) -> Self {
        Self { sql, marks: RefCell::default() }
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

impl Deref for Session {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.sql
    }
}
