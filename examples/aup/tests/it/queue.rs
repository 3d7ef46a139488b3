//! A queue in which the commits of the organisation `acme` wait for their turn, as behind a long
//! transaction.

use scim_core::store::{StoreError, Tenant};
use scim_testkit::interceptor::{Call, Interceptor};
use tokio::sync::watch;

#[derive(Debug)]
pub(crate) struct Queue {
    is_open: watch::Sender<bool>,
    waiting: watch::Sender<usize>,
}

impl Queue {
    pub(crate) fn new() -> Self {
        Self { is_open: watch::Sender::new(true), waiting: watch::Sender::new(0) }
    }

    /// From now on commits wait.
    pub(crate) fn close(&self) {
        self.waiting.send_replace(0);
        self.is_open.send_replace(false);
    }

    pub(crate) fn open(&self) {
        self.is_open.send_replace(true);
    }

    /// Until so many commits wait.
    pub(crate) async fn holds(&self, commits: usize) {
        self.waiting.subscribe().wait_for(|waiting| *waiting >= commits).await.unwrap();
    }
}

impl Interceptor for Queue {
    async fn around<R: Send>(
        &self,
        call: Call,
        tenant: &Tenant,
        work: impl Future<Output = Result<R, StoreError>> + Send,
    ) -> Result<R, StoreError> {
        if call == Call::Commit && tenant.as_str() == "acme" {
            self.waiting.send_modify(|waiting| *waiting += 1);
            self.is_open.subscribe().wait_for(|is_open| *is_open).await.unwrap();
        }
        work.await
    }
}
