//! Who asks, and all that depends on it.

use std::{borrow::Cow, sync::Arc};

use url::Url;

use super::Rights;
use crate::{
    Dialect, ResourceType, ResourceTypes, View,
    project::{Renderer, Shown, endpoint_uri},
    store::{Actor, Condition, Copied, Party, Query, ResourceId, ResourceKind, Tenant},
    view::Named,
};

/// Who asks. Made by the adapter from what it has authenticated, never from what the request claims.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Caller {
    /// The organisation.
    pub tenant: Tenant,
    /// Who acts, for audit and policies.
    pub actor: Actor,
    /// What the caller sees.
    pub view: Arc<View>,
    /// What kinds of resources the organisation has.
    pub types: Arc<ResourceTypes>,
    /// How far requests may stray.
    pub dialect: Dialect,
    /// The base of all locations, without a slash at the end. Requests come below its path.
    pub base: Url,
    /// Whether bulk requests are taken.
    pub bulk: Bulk,
    /// Whether the caller may follow the change feed.
    pub feed: Feed,
    /// What `/Me` stands for.
    pub me: Me,
    /// What the caller's rights rest on, such as the versions of its token and of its organisation:
    /// conditions of each of its writes.
    ///
    /// A commit may wait in the store after the last look at the rights. The store looks at these
    /// in the transaction, whoever changed them in which process. Where one fails, the write is
    /// tried again by the rights of then.
    pub grounds: Vec<Condition>,
    /// Who knows whether all this still holds.
    pub(super) rights: Option<Arc<dyn Rights>>,
}

/// Whether a caller may follow the [change feed](super::CHANGE_FEED), which tells of everything that he sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feed {
    /// He may, and discovery tells him so; unless his View selects by memberships, which the feed does not follow: then he gets 501.
    On,
    /// He gets 403.
    Off,
}

/// What `/Me` stands for (RFC 7644 §3.11).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Me {
    /// Nothing, for anybody: 501.
    NotOffered,
    /// Nothing for this caller, who acts for no person: 404.
    Nobody,
    /// That resource, under both addresses.
    Is(ResourceKind, ResourceId),
    /// That resource, to whose address the client is sent for good: 308.
    At(ResourceKind, ResourceId),
}

/// Whether an organisation takes bulk requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bulk {
    /// It does.
    On,
    /// It answers 501.
    Off,
}

impl Caller {
    /// Whose work the caller's requests are.
    pub(super) fn party(&self) -> Party {
        Party::new(self.tenant.clone(), &self.actor)
    }

    /// A question for what the caller sees of a type.
    pub(crate) fn sees(&self, of: &ResourceType, count: usize) -> Query {
        let mut query = self.query([of], count);
        query.filter = self.view.filter(of.kind()).cloned();
        query
    }

    /// A question for resources of some types, whatever of them the caller sees.
    pub(super) fn query<'a>(
        &self,
        types: impl IntoIterator<Item = &'a ResourceType> + Clone,
        count: usize,
    ) -> Query {
        let kinds = types.clone().into_iter().map(|of| of.kind().clone()).collect();
        let mut query = Query::of(kinds, count);
        query.part = self.view.part();
        for of in types {
            // The filter of a View looks at what it hides.
            query.copies.members.extend(of.whole().copies_along("members"));
            query.copies.member_of.extend(of.whole().copies_along("memberOf"));
        }
        query.copies.members.push(self.uris());
        query.copies.member_of.push(self.uris());
        query
    }

    /// The `$ref` of memberships.
    pub(super) fn uris(&self) -> Copied {
        let endpoint = |of: &ResourceType| endpoint_uri(&self.base, of.endpoint());
        let endpoints = self.types.iter().map(|of| (of.kind().clone(), endpoint(of)));
        Copied::uri("$ref", endpoints.collect())
    }

    /// What shows him resources of a type, those that are named among the ones that he sees.
    pub(crate) fn renderer<'a>(
        &'a self,
        of: &'a ResourceType,
        (projection, written): Shown<'a>,
        named: &'a Named,
    ) -> Renderer<'a> {
        let Self { types, view, base, .. } = self;
        Renderer { types, resource_type: of, view, base, projection, written, named }
    }

    /// Whether the change feed tells the caller all that he must know: not where what he sees depends on memberships, for the log has no
    /// entry for a user who comes to a group.
    pub(crate) fn can_follow(&self) -> bool {
        self.feed == Feed::On && !self.view.selects_by_memberships()
    }

    /// A caller who sees and may do everything in an organisation with the standard resource types.
    ///
    /// Of the base, only scheme, host, port and path count (RFC 7644 §1.3, §7.1).
    pub fn new(tenant: impl Into<Tenant>, mut base: Url) -> Self {
        base.set_query(None);
        base.set_fragment(None);
        // Fails only where there is nothing to take away.
        let _ = (base.set_username(""), base.set_password(None));
        Self {
            tenant: tenant.into(),
            actor: Actor::new("client", ""),
            view: Arc::new(View::all()),
            types: Arc::new(ResourceTypes::standard()),
            dialect: Dialect::TOLERANT,
            base,
            bulk: Bulk::Off,
            feed: Feed::Off,
            me: Me::NotOffered,
            grounds: vec![],
            rights: None,
        }
    }

    /// The caller whose rights may change while a request is under way: the engine asks `rights`
    /// again where that matters.
    #[must_use]
    pub fn with_rights(mut self, rights: Arc<dyn Rights>) -> Self {
        self.rights = Some(rights);
        self
    }

    /// The caller with the resource types as they are without what the View hides.
    pub(super) fn as_seen(&self) -> Cow<'_, Self> {
        match self.view.hidden().is_empty() {
            true => Cow::Borrowed(self),
            false => Cow::Owned(Self { types: self.types.seen_by(&self.view), ..self.clone() }),
        }
    }

    /// Whether both would be answered alike.
    pub(super) fn has_rights_of(&self, other: &Self) -> bool {
        let Self {
            tenant,
            actor,
            view,
            types,
            dialect,
            base,
            bulk,
            feed,
            me,
            grounds: _,
            rights: _,
        } = self;
        *tenant == other.tenant
            && *actor == other.actor
            && *view == other.view
            && (Arc::ptr_eq(types, &other.types) || *types == other.types)
            && *dialect == other.dialect
            && *base == other.base
            && *bulk == other.bulk
            && *feed == other.feed
            && *me == other.me
    }
}
