//! The IAM: what an application calls.

mod accounts;
mod entrance;
mod groups;
mod keys;
mod organisations;
mod refusals;
mod tokens;
mod writing;

use std::sync::Arc;

use scim_core::{
    Environment, Service, Store,
    filter::Bound,
    store::{Query, Reader, Resource, ResourceId, ResourceKind, Tenant, Want},
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Assigner, IamError, Rules};

pub(crate) use writing::audited;

pub use accounts::{KeyOrigin, ListedKey, NewAccount};
pub use groups::NewGroup;
pub use organisations::{Deployment, NewOrganisation};
pub use tokens::NewToken;

pub(crate) const USER: &str = "User";
pub(crate) const GROUP: &str = "Group";
const ORGANISATION: &str = "Organisation";
const TOKEN: &str = "ScimToken";
const SEALING: &str = "SealingKeys";
pub(crate) const POLICY: &str = "Policy";

/// Where organisations and tokens live. No organisation can have this id.
const RESERVED: &str = "_organisations";

/// The IAM of many organisations over one store.
///
/// It opens no socket: an application hands it the headers of a request, gets a [`Caller`](scim_core::Caller), and gives that to the
/// [`service`](Self::service).
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use cw_iam_model::{Iam, NewOrganisation, Sso, Switches};
/// use scim_core::{MemoryStore, environment::System};
///
/// # async fn example() -> Result<(), cw_iam_model::IamError> {
/// let iam = Iam::new(Arc::new(MemoryStore::new()), Arc::new(System));
/// let mut acme = NewOrganisation::new("acme".parse()?);
/// acme.sso = Sso::Declared;
/// acme.switches = Switches::ALL_ON;
/// assert_eq!(iam.create_organisation(acme).await?.id.as_str(), "acme");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Iam {
    store: Arc<dyn Store>,
    environment: Arc<dyn Environment>,
    service: Service,
}

impl Iam {
    /// The IAM over a store, with time and ids from an environment.
    pub fn new(store: Arc<dyn Store>, environment: Arc<dyn Environment>) -> Self {
        let service = Service::new(store.clone())
            .with_policy(Arc::new(Rules::default()))
            .with_completion(Arc::new(Assigner))
            .with_environment(environment.clone());
        Self { store, environment, service }
    }

    /// The IAM with a provisioning log of so many records in each organisation; 10,000 where this
    /// says nothing. The oldest give way.
    #[must_use]
    pub fn with_refusals(mut self, most: usize) -> Self {
        self.service = self.service.with_policy(Arc::new(Rules::default().with_refusals(most)));
        self
    }

    /// The SCIM service under the rules of the IAM, for callers that [`authenticate`](Self::authenticate) lets in.
    pub fn service(&self) -> Service {
        self.service.clone()
    }

    /// An internal resource, as the type that was stored.
    async fn read<T: DeserializeOwned>(
        &self,
        tenant: &Tenant,
        kind: &str,
        id: &ResourceId,
    ) -> Result<Option<T>, IamError> {
        let kind = ResourceKind::from(kind);
        let found = self.store.get(tenant, &kind, id, &Want::DOCUMENTS).await?;
        found.map(|found| typed(found.sent.object()?)).transpose()
    }

    /// All resources of a kind that a filter selects, however many there are.
    async fn all(
        &self,
        tenant: &Tenant,
        kind: &str,
        filter: Option<Bound>,
    ) -> Result<Vec<Resource>, IamError> {
        let mut query = Query::all(kind, 0);
        query.filter = filter;
        Ok(Reader::new(&*self.store, tenant).all(query).await?)
    }
}

/// An internal document as the type that was stored.
pub(crate) fn typed<T: DeserializeOwned>(object: &scim_core::Object) -> Result<T, IamError> {
    let value = Value::from(object.clone());
    T::deserialize(value).map_err(|error| damaged(&error))
}

fn damaged(error: &serde_json::Error) -> IamError {
    IamError::Store(scim_core::store::StoreError::Corrupt(error.to_string()))
}
