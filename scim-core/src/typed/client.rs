//! The client, for resources of one type.

use std::{
    future::poll_fn,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_core::Stream;
use serde_json::Value;

use super::Typed;
use crate::{
    Client,
    client::{ClientError, Query, Resources, Versioned},
};

/// Speaks to one endpoint in one Rust type. Made by [`Client::typed`]; what is said there holds here.
///
/// The endpoint is the one at which the service has the type's schema, once [`Client::discover`] has asked; until then, and where the
/// service does not say, it is [`Typed::ENDPOINT`].
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
/// let users = Client::new(Arc::new(transport), base).typed::<User>();
///
/// pollster::block_on(async {
///     let ada = users.create(&User::new("ada")).await.unwrap();
///     let found = users.list("userName eq \"ADA\"").all().await.unwrap();
///     assert_eq!(found, [ada.resource]);
/// });
/// ```
#[derive(Debug, Clone)]
pub struct TypedClient<T> {
    client: Client,
    resource: PhantomData<fn() -> T>,
}

impl Client {
    /// The same client for resources of one Rust type.
    pub fn typed<T: Typed>(&self) -> TypedClient<T> {
        TypedClient { client: self.clone(), resource: PhantomData }
    }
}

impl<T: Typed> TypedClient<T> {
    /// The client whose writes happen only where the resource is still of this version: [`Client::if_match`].
    #[must_use]
    pub fn if_match(&self, version: impl Into<String>) -> Self {
        self.client.if_match(version).typed()
    }

    /// Where the resources are (RFC 7644 §3.2).
    fn endpoint(&self) -> String {
        let announced = self.client.endpoint_of(T::SCHEMA, T::ENDPOINT);
        announced.unwrap_or_else(|| T::ENDPOINT.to_owned())
    }

    /// Makes a resource and answers what the service made of it.
    ///
    /// # Errors
    ///
    /// [`ClientError`].
    pub async fn create(&self, resource: &T) -> Result<Versioned<T>, ClientError> {
        self.client.create(&self.endpoint(), &resource.to_value()?).await?.try_map(typed)
    }

    /// Reads a resource.
    ///
    /// # Errors
    ///
    /// [`ClientError::Refused`] with status 404 where there is none.
    pub async fn read(&self, id: &str) -> Result<Versioned<T>, ClientError> {
        self.client.read(&self.endpoint(), id).await?.try_map(typed)
    }

    /// Reads a resource unless it is still of this version.
    ///
    /// # Errors
    ///
    /// [`ClientError`].
    pub async fn read_unless(
        &self,
        id: &str,
        version: &str,
    ) -> Result<Option<Versioned<T>>, ClientError> {
        let found = self.client.read_unless(&self.endpoint(), id, version).await?;
        found.map(|it| it.try_map(typed)).transpose()
    }

    /// Replaces a resource.
    ///
    /// # Errors
    ///
    /// [`ClientError`].
    pub async fn replace(&self, id: &str, resource: &T) -> Result<Versioned<T>, ClientError> {
        self.client.replace(&self.endpoint(), id, &resource.to_value()?).await?.try_map(typed)
    }

    /// Changes a resource; answers it where the service does.
    ///
    /// # Errors
    ///
    /// [`ClientError`].
    pub async fn patch(
        &self,
        id: &str,
        operations: Vec<Value>,
    ) -> Result<Option<Versioned<T>>, ClientError> {
        let answered = self.client.patch(&self.endpoint(), id, operations).await?;
        answered.map(|it| it.try_map(typed)).transpose()
    }

    /// Removes a resource. One that is gone already counts as removed.
    ///
    /// # Errors
    ///
    /// [`ClientError`].
    pub async fn delete(&self, id: &str) -> Result<(), ClientError> {
        self.client.delete(&self.endpoint(), id).await
    }

    /// Reads a resource, changes it, and puts it back if nobody else changed it meanwhile: [`Client::update`].
    ///
    /// # Errors
    ///
    /// As there; [`ClientError::Typed`] where the resource is not of the type. Then it stays as it was.
    pub async fn update(
        &self,
        id: &str,
        mut change: impl FnMut(&mut T),
    ) -> Result<Versioned<T>, ClientError> {
        let mut failed = None;
        let endpoint = self.endpoint();
        let changed = self.client.update(&endpoint, id, |value| {
            let after = T::from_value(value.clone()).and_then(|mut resource| {
                change(&mut resource);
                resource.to_value()
            });
            match after {
                Ok(after) => *value = after,
                Err(error) => failed = Some(error),
            }
        });
        let changed = changed.await;
        match failed {
            Some(error) => Err(error.into()),
            None => changed?.try_map(typed),
        }
    }

    /// The resources that a query selects.
    pub fn list(&self, query: impl Into<Query>) -> TypedResources<T> {
        let resources = self.client.list(&self.endpoint(), query);
        TypedResources { resources, resource: PhantomData }
    }
}

/// The resources of a list, one after the other: [`Resources`] in a Rust type.
#[must_use = "a list is asked for when it is polled"]
#[derive(Debug)]
pub struct TypedResources<T> {
    resources: Resources,
    resource: PhantomData<fn() -> T>,
}

impl<T: Typed> TypedResources<T> {
    /// The next resource; none at the end.
    pub async fn next(&mut self) -> Option<Result<T, ClientError>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// Whether the list changed while it was read: [`Resources::has_changed`].
    pub fn has_changed(&self) -> bool {
        self.resources.has_changed()
    }

    /// All that are left.
    ///
    /// # Errors
    ///
    /// [`ClientError::Typed`] where one of them is not of the type.
    pub async fn all(mut self) -> Result<Vec<T>, ClientError> {
        let mut all = vec![];
        while let Some(resource) = self.next().await {
            all.push(resource?);
        }
        Ok(all)
    }
}

impl<T: Typed> Stream for TypedResources<T> {
    type Item = Result<T, ClientError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = ready!(Pin::new(&mut self.resources).poll_next(context));
        Poll::Ready(next.map(|it| it.and_then(|resource| typed(Value::Object(resource)))))
    }
}

fn typed<T: Typed>(value: Value) -> Result<T, ClientError> {
    Ok(T::from_value(value)?)
}
