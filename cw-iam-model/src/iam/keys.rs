//! The keys with which cursors are sealed: kept in the store, so that all replicas have the same, and made at the first start.

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, TimeDelta, Utc};
use scim_core::{
    environment::{KeyRing, SealingKey},
    store::{Resource, ResourceId, ResourceKind, Tenant, Want},
};
use serde::{Deserialize, Serialize};

use super::{
    Iam, RESERVED, SEALING,
    writing::{Attempts, internal, seen},
};
use crate::{IamError, Role};

/// The one resource that holds them.
const ID: &str = "cursors";
/// How long a new key only opens, so that every replica has it before the first cursor is sealed with it.
const PRELUDE: TimeDelta = TimeDelta::minutes(2);
/// How long an old key still opens.
const EPILOGUE: TimeDelta = TimeDelta::days(1);

/// The keys as they are stored.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Stored {
    keys: Vec<Kept>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kept {
    /// Base64.
    key: String,
    /// From when on it seals.
    from: DateTime<Utc>,
}

impl Kept {
    fn new(from: DateTime<Utc>) -> Result<Self, IamError> {
        let key = SealingKey::random().ok_or(IamError::NoRandomness)?;
        Ok(Self { key: STANDARD.encode(key.as_bytes()), from })
    }

    fn open(&self) -> Option<SealingKey> {
        let bytes = STANDARD.decode(&self.key).ok()?;
        Some(SealingKey::new(bytes.try_into().ok()?))
    }
}

impl Stored {
    /// The newest key that seals by now, then all others.
    fn ring(&self, now: DateTime<Utc>) -> KeyRing {
        let mut kept: Vec<&Kept> = self.keys.iter().collect();
        kept.sort_by_key(|it| (it.from > now, std::cmp::Reverse(it.from)));
        KeyRing::new(kept.into_iter().filter_map(Kept::open).collect())
    }

    /// Those that open nothing any more go: each whose successor has sealed for long enough.
    fn add(&mut self, key: Kept, now: DateTime<Utc>) {
        self.keys.push(key);
        self.keys.sort_by_key(|it| it.from);
        let long_ago = now.checked_sub_signed(EPILOGUE).unwrap_or(now);
        let outlived = self.keys.iter().filter(|it| it.from <= long_ago).count();
        self.keys.drain(..outlived.saturating_sub(1));
    }
}

impl Iam {
    /// The keys of cursors, as of now; they are made where there are none. A server reads them again once a minute.
    ///
    /// # Errors
    ///
    /// [`IamError::NoRandomness`], those of the store.
    pub async fn cursor_keys(&self) -> Result<KeyRing, IamError> {
        let now = self.environment.now();
        if let Some((_, stored)) = self.stored_keys().await? {
            return Ok(stored.ring(now));
        }
        let made = Stored { keys: vec![Kept::new(now)?] };
        let write = internal(SEALING, ID, &made, None, "create")?;
        let tried =
            self.commit(&RESERVED.into(), Role::System.actor(""), vec![write], vec![]).await;
        // Where another replica was faster, its keys count.
        match (tried, self.stored_keys().await?) {
            (_, Some((_, stored))) => Ok(stored.ring(now)),
            (Err(error), None) => Err(error),
            (Ok(_), None) => Ok(made.ring(now)),
        }
    }

    /// Adds a key, with which cursors are sealed in two minutes from now on. Cursors that were sealed before stay good.
    ///
    /// # Errors
    ///
    /// [`IamError::NoRandomness`], those of the store.
    pub async fn rotate_cursor_key(&self, by: &str) -> Result<DateTime<Utc>, IamError> {
        self.cursor_keys().await?;
        let mut attempts = Attempts::default();
        loop {
            let now = self.environment.now();
            let from = now.checked_add_signed(PRELUDE).unwrap_or(now);
            let Some((found, mut stored)) = self.stored_keys().await? else {
                return Err(IamError::Invalid("the keys are gone from the store".to_owned()));
            };
            stored.add(Kept::new(from)?, now);
            let write = internal(SEALING, ID, &stored, Some(&found), "rotate")?;
            let actor = Role::Administrator.actor(by);
            let tried = self.commit(&RESERVED.into(), actor, vec![write], vec![seen(&found)]).await;
            if let Some(settled) = attempts.settle(tried) {
                return settled.map(|_| from);
            }
        }
    }

    async fn stored_keys(&self) -> Result<Option<(Resource, Stored)>, IamError> {
        let (tenant, kind) = (Tenant::from(RESERVED), ResourceKind::from(SEALING));
        let found = self.store.get(&tenant, &kind, &ResourceId::from(ID), &Want::DOCUMENTS).await?;
        let Some(found) = found else { return Ok(None) };
        let stored = super::typed(found.sent.object()?)?;
        Ok(Some((found, stored)))
    }
}
