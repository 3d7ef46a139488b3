//! The machine as the service sees it: its clock, and the keys that the store keeps.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use cw_iam_model::Iam;
use scim_core::{
    Environment,
    environment::{KeyRing, System},
    store::ResourceId,
};
use tokio::sync::watch;

/// How often the keys are read again. A new key opens for longer than that before it seals.
const REFRESH: Duration = Duration::from_secs(60);

/// Clock and keys of a server, and whether it is to stop: nobody waits any longer then.
#[derive(Debug)]
pub struct Host {
    keys: RwLock<Arc<KeyRing>>,
    stopping: watch::Sender<bool>,
}

impl Host {
    /// A host without keys.
    pub fn new() -> Self {
        Self { keys: RwLock::default(), stopping: watch::Sender::new(false) }
    }

    /// Seals cursors with these keys from now on.
    pub fn seal_with(&self, keys: KeyRing) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
    }

    /// Follows the keys in the store. Where it does not answer, those of before stay.
    pub async fn follow(&self, iam: &Iam) {
        loop {
            tokio::time::sleep(REFRESH).await;
            match iam.cursor_keys().await {
                Ok(keys) => self.seal_with(keys),
                Err(error) => tracing::warn!(%error, "the cursor keys could not be read"),
            }
        }
    }

    /// Ends every wait, so that a server can stop.
    pub fn stop(&self) {
        self.stopping.send_replace(true);
    }
}

impl Default for Host {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Environment for Host {
    fn now(&self) -> DateTime<Utc> {
        System.now()
    }

    fn new_id(&self) -> ResourceId {
        System.new_id()
    }

    fn cursor_keys(&self) -> Arc<KeyRing> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn sleep(&self, time: Duration) {
        let mut stopping = self.stopping.subscribe();
        tokio::select! {
            () = tokio::time::sleep(time) => {}
            _ = stopping.wait_for(|stopping| *stopping) => {}
        }
    }
}
