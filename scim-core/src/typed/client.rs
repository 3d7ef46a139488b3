//! The client, for resources of one type.

use std::marker::PhantomData;

use serde_json::Value;

use super::{Typed, TypedError};
use crate::{Client, client::ClientError};

/// Speaks to one endpoint in one Rust type. Made by [`Client::typed`].
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use scim_core::{Caller, Client, MemoryStore, Service, service::InProcess, typed::User};
///
/// let base: url::Url = "https://scim.example.com/acme".parse().unwrap();
/// let service = Service::new(Arc::new(MemoryStore::new()));
/// let transport = InProcess::new(service, Caller::new("acme", base.clone()));
/// let client = Client::new(Arc::new(transport), base);
/// let users = client.typed::<User>();
///
/// pollster::block_on(async {
///     let ada = users.create(&User::new("ada")).await.unwrap();
///     let found = users.list(Some("userName eq \"ADA\"")).await.unwrap();
///     assert_eq!(found, [ada]);
/// });
/// ```
#[derive(Debug, Clone, Copy)]
pub struct TypedClient<'a, T> {
    client: &'a Client,
    resource: PhantomData<fn() -> T>,
}

impl Client {
    /// The same client for resources of one Rust type.
    pub fn typed<T: Typed>(&self) -> TypedClient<'_, T> {
        TypedClient { client: self, resource: PhantomData }
    }
}

impl<T: Typed> TypedClient<'_, T> {
    /// Makes a resource and answers what the service made of it.
    ///
    /// # Errors
    ///
    /// [`ClientError`].
    pub async fn create(&self, resource: &T) -> Result<T, ClientError> {
        typed(self.client.create(T::ENDPOINT, &resource.to_value()?).await?)
    }

    /// Reads a resource.
    ///
    /// # Errors
    ///
    /// [`ClientError::Refused`] with status 404 where there is none.
    pub async fn read(&self, id: &str) -> Result<T, ClientError> {
        typed(self.client.read(T::ENDPOINT, id).await?)
    }

    /// Replaces a resource.
    ///
    /// # Errors
    ///
    /// [`ClientError`].
    pub async fn replace(&self, id: &str, resource: &T) -> Result<T, ClientError> {
        typed(self.client.replace(T::ENDPOINT, id, &resource.to_value()?).await?)
    }

    /// All resources that a filter selects.
    ///
    /// # Errors
    ///
    /// [`ClientError::Typed`] where one of them is not of the type.
    pub async fn list(&self, filter: Option<&str>) -> Result<Vec<T>, ClientError> {
        let list = self.client.list(T::ENDPOINT, filter).await?;
        list.resources.into_iter().map(|resource| typed(Value::Object(resource))).collect()
    }
}

fn typed<T: Typed>(value: Value) -> Result<T, ClientError> {
    T::from_value(value).map_err(|error: TypedError| error.into())
}
