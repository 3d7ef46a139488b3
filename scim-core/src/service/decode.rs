//! From HTTP to what is asked for. Nothing here knows the store.

use bytes::Bytes;
use http::{Method, Request};
use serde_json::Value;

use super::{
    Caller, Feed, Limits, Me,
    address::Address,
    bulk::check_bulk,
    conditions::Conditions,
    media,
    parameters::{OF_CHANGES, OF_LISTS, OF_RESOURCES, Parameters},
    payload::Payload,
};
use crate::{ResourceType, ScimError, View, project::location, store::ResourceId, view::Access};

/// What a request asks for.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) action: Action<'a>,
    pub(super) parameters: Parameters,
    pub(super) conditions: Conditions,
}

#[derive(Debug)]
pub(super) enum Action<'a> {
    /// Which methods there are.
    Options(&'static str),
    /// `/Me` that stands elsewhere.
    Redirect(String),
    ServiceProviderConfig,
    Schemas(Option<String>),
    ResourceTypes(Option<String>),
    /// Resources of some types, in one order.
    List(Vec<&'a ResourceType>),
    Search(Vec<&'a ResourceType>, Value),
    Create(&'a ResourceType, Value),
    Read(&'a ResourceType, ResourceId),
    Replace(&'a ResourceType, ResourceId, Payload),
    Patch(&'a ResourceType, ResourceId, Payload),
    Delete(&'a ResourceType, ResourceId),
    Bulk(Payload),
    Changes,
}

impl Action<'_> {
    /// The action of a request that has a fault beside its body: a PUT or PATCH of which something
    /// may happen all the same, or none.
    pub(super) fn refused(self, fault: ScimError) -> Result<Self, ScimError> {
        match self {
            Self::Replace(of, id, payload) => Ok(Self::Replace(of, id, payload.refused(fault))),
            Self::Patch(of, id, payload) => Ok(Self::Patch(of, id, payload.refused(fault))),
            _ => Err(fault),
        }
    }

    /// The parameters in the URL that narrow what the action answers.
    fn taken_parameters(&self) -> &'static [&'static str] {
        match self {
            Self::List(_) => OF_LISTS,
            // What discovery shows is the same for all queries (RFC 7644 §4); a filter it refuses itself.
            Self::ServiceProviderConfig | Self::Schemas(_) | Self::ResourceTypes(_) => OF_LISTS,
            Self::Changes => OF_CHANGES,
            Self::Search(..) => &[],
            Self::Options(_)
            | Self::Redirect(_)
            | Self::Create(..)
            | Self::Read(..)
            | Self::Replace(..)
            | Self::Patch(..)
            | Self::Delete(..)
            | Self::Bulk(_) => OF_RESOURCES,
        }
    }
}

pub(super) fn decode<'a>(
    request: &Request<Bytes>,
    caller: &'a Caller,
    limits: &Limits,
) -> Result<Call<'a>, ScimError> {
    let length = request.uri().path_and_query().map_or(0, |it| it.as_str().len());
    if length > limits.uri {
        return Err(ScimError::uri_too_long(format!(
            "a URL holds at most {} bytes; use POST …/.search",
            limits.uri
        )));
    }
    let address = Address::read(request.uri().path(), caller)?;
    let read = Parameters::read(request.uri().query().unwrap_or_default());
    let action = Asking { caller, request, limits }.action(address);
    let action = action.map_err(|error| read.as_ref().err().cloned().unwrap_or(error))?;
    let (action, parameters) =
        match read.and_then(|parameters| parameters.with_effect(action.taken_parameters())) {
            Ok(parameters) => (action, parameters),
            Err(fault) => (action.refused(fault)?, Parameters::default()),
        };
    Ok(Call { action, parameters, conditions: Conditions::read(request.headers())? })
}

/// A request whose address is known.
struct Asking<'a, 'r> {
    caller: &'a Caller,
    request: &'r Request<Bytes>,
    limits: &'r Limits,
}

impl<'a> Asking<'a, '_> {
    fn action(&self, address: Address<'a>) -> Result<Action<'a>, ScimError> {
        let methods = address.methods();
        let types = || self.caller.types.iter().collect();
        match address {
            _ if *self.request.method() == Method::OPTIONS => Ok(Action::Options(methods)),
            Address::Root => self.reading(methods, Action::List(types())),
            Address::ServiceProviderConfig => self.reading(methods, Action::ServiceProviderConfig),
            Address::Schemas(id) => self.reading(methods, Action::Schemas(id)),
            Address::ResourceTypes(id) => self.reading(methods, Action::ResourceTypes(id)),
            Address::Search => self.search(methods, types()),
            Address::SearchAll(of) => self.search(methods, vec![of]),
            Address::Bulk => self.bulk(methods),
            Address::Changes => {
                check_feed(self.caller)?;
                self.reading(methods, Action::Changes)
            }
            Address::Me => self.me(methods),
            Address::All(of) => match *self.request.method() {
                Method::POST => {
                    check_access(&self.caller.view)?;
                    Ok(Action::Create(of, self.body()?))
                }
                _ => self.reading(methods, Action::List(vec![of])),
            },
            Address::One(of, id) => self.one(methods, of, id),
        }
    }

    fn reading(&self, methods: &'static str, action: Action<'a>) -> Result<Action<'a>, ScimError> {
        match *self.request.method() {
            Method::GET | Method::HEAD => Ok(action),
            _ => Err(wrong_method(methods)),
        }
    }

    fn search(
        &self,
        methods: &'static str,
        types: Vec<&'a ResourceType>,
    ) -> Result<Action<'a>, ScimError> {
        match *self.request.method() {
            Method::POST => Ok(Action::Search(types, self.body()?)),
            _ => Err(wrong_method(methods)),
        }
    }

    fn one(
        &self,
        methods: &'static str,
        of: &'a ResourceType,
        id: ResourceId,
    ) -> Result<Action<'a>, ScimError> {
        let method = self.request.method();
        if !matches!(*method, Method::PUT | Method::PATCH | Method::DELETE) {
            return self.reading(methods, Action::Read(of, id));
        }
        check_access(&self.caller.view)?;
        match *method {
            Method::PUT => Ok(Action::Replace(of, id, self.payload()?)),
            Method::PATCH => Ok(Action::Patch(of, id, self.payload()?)),
            _ => Ok(Action::Delete(of, id)),
        }
    }

    fn me(&self, methods: &'static str) -> Result<Action<'a>, ScimError> {
        let of = |kind| self.caller.types.of(kind).ok_or_else(nobody);
        match &self.caller.me {
            Me::NotOffered => Err(ScimError::not_implemented("/Me is not offered to this token")),
            Me::Nobody => Err(nobody()),
            Me::Is(kind, id) => self.one(methods, of(kind)?, id.clone()),
            Me::At(kind, id) => {
                let endpoint = of(kind)?.endpoint();
                Ok(Action::Redirect(location(&self.caller.base, endpoint, id.as_str())))
            }
        }
    }

    fn bulk(&self, methods: &'static str) -> Result<Action<'a>, ScimError> {
        if *self.request.method() != Method::POST {
            return Err(wrong_method(methods));
        }
        check_bulk(self.caller)?;
        if self.request.body().len() > self.limits.bulk_body {
            return Err(ScimError::too_large(format!(
                "a bulk request holds at most {} bytes (maxPayloadSize)",
                self.limits.bulk_body
            )));
        }
        Ok(Action::Bulk(self.payload()?))
    }

    fn body(&self) -> Result<Value, ScimError> {
        self.payload()?.sound()
    }

    fn payload(&self) -> Result<Payload, ScimError> {
        media::check_body(self.request.headers())?;
        let (body, most) = (self.request.body(), self.limits.body);
        if body.len() > most {
            return Err(ScimError::too_large(format!("a body holds at most {most} bytes")));
        }
        Payload::read(body, &self.limits.json)
    }
}

pub(super) fn check_access(view: &View) -> Result<(), ScimError> {
    match view.access() {
        Access::ReadWrite => Ok(()),
        Access::ReadOnly => Err(ScimError::forbidden("this token may read, not write")),
    }
}

fn check_feed(caller: &Caller) -> Result<(), ScimError> {
    match caller.feed {
        Feed::On if caller.can_follow() => Ok(()),
        Feed::On => Err(ScimError::not_implemented(
            "what this token sees depends on memberships, which the change feed does not follow; read the lists",
        )),
        Feed::Off => Err(ScimError::forbidden("this token may not follow the change feed")),
    }
}

fn nobody() -> ScimError {
    ScimError::not_found("this token stands for no resource of its own")
}

fn wrong_method(methods: &'static str) -> ScimError {
    ScimError::method_not_allowed(format!("the endpoint takes {methods}")).allowing(methods)
}
