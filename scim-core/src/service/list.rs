//! Lists: of one type, or of all types in one order.

use scim_filter::{Attribute, Bound, Case, Location, Op, Operand};

use super::{
    Caller, Service,
    asked::{Asked, By, Within},
    conditions::Conditions,
    cursor,
    moment::Moment,
    outcome::{ListResponse, Outcome, Place},
    parameters::Parameters,
    store_error,
};
use crate::{
    ResourceType, ScimError,
    schema::Type,
    store::{LogEnd, Paging, Query, ResourceKind, StoreError, each_location},
};

impl Service {
    pub(super) async fn list(
        &self,
        caller: &Caller,
        types: &[&ResourceType],
        parameters: &Parameters,
        (by, conditions): (By, &Conditions),
    ) -> Result<Outcome, ScimError> {
        let asked = Asked::read(caller, types, parameters, by)?;
        let walk = self.walk(&asked, parameters)?;
        let mut query = self.query(&asked, parameters)?;
        if let Some(walk) = &walk {
            walk.direct(&mut query);
        }
        if conditions.knows_some() {
            let now = self.store.changes(&caller.tenant, LogEnd::START, 0).await;
            let now = Moment::new(caller, now.map_err(store_error)?.end);
            if conditions.has_seen(&now.to_string()) {
                return Ok(Outcome::NotModified(now.etag()));
            }
        }
        let mut page =
            self.store.query(&caller.tenant, &query).await.map_err(|error| match error {
                StoreError::Expired(_) => cursor::expired(),
                other => store_error(other),
            })?;
        if page.total > self.limits.results {
            return Err(ScimError::too_many(format!(
                "{} resources are more than this service lists; narrow the filter",
                page.total
            )));
        }
        let place = match (&walk, &query.paging) {
            (Some(walk), _) => Place::Walk(self.cursors(walk, &mut page)?),
            (None, Paging::Index { start, .. }) => Place::Index(*start),
            (None, _) => Place::Index(1),
        };
        let named = self.named(caller, &page.resources).await?;
        let resources = asked.render(&page, &named).await.map_err(store_error)?;
        let moment = Moment::new(caller, page.end);
        Ok(Outcome::List(ListResponse::new(page.total, place, resources, Some(moment.etag()))))
    }

    fn query(&self, asked: &Asked<'_>, parameters: &Parameters) -> Result<Query, ScimError> {
        let mut query = asked.caller.query(asked.types.iter().map(|(of, _)| *of), 0);
        query.filter = self.filter(asked, parameters)?;
        query.sort = asked.sort(parameters)?;
        query.want = asked.want();
        query.most_members = self.limits.page_members;
        let start = parameters.number("startindex")?.unwrap_or(1).max(1).unsigned_abs();
        let count = self.limits.page_size(parameters.number("count")?);
        query.paging = Paging::Index { start, count };
        Ok(query)
    }

    /// What the request asks for, of what the caller sees. Where there are several types, each has a filter of its own.
    fn filter(
        &self,
        asked: &Asked<'_>,
        parameters: &Parameters,
    ) -> Result<Option<Bound>, ScimError> {
        let caller = asked.caller;
        let filter = match parameters.text("filter") {
            None => None,
            Some(text) => {
                let filter = caller.dialect.filter(text, &self.limits.filter);
                Some(filter.map_err(|error| ScimError::invalid_filter(error.to_string()))?)
            }
        };
        let one = |of: &ResourceType| {
            let within = Within { of, asked };
            let bound: Option<Bound> =
                filter.as_ref().map(|it| caller.dialect.bind(it, &within)).transpose()?;
            if let (By::Url, Some(bound)) = (asked.by, &bound) {
                check_confidential(caller, of, bound)?;
            }
            let visible = caller.view.filter(of.kind()).cloned();
            Ok(match (visible, bound) {
                (Some(visible), Some(bound)) => Some(visible.and(bound)),
                (visible, bound) => visible.or(bound),
            })
        };
        let filters = asked.types.iter().map(|(of, _)| Ok((*of, one(of)?)));
        let mut filters = filters.collect::<Result<Vec<_>, ScimError>>()?;
        match filters.len() {
            1 => Ok(filters.pop().and_then(|(_, filter)| filter)),
            _ if filters.iter().all(|(_, filter)| filter.is_none()) => Ok(None),
            _ => {
                let each = filters.into_iter().map(|(of, filter)| {
                    let kind = is_of(of.kind());
                    filter.map_or(kind.clone(), |filter| kind.and(filter))
                });
                Ok(each.reduce(Bound::or))
            }
        }
    }
}

/// What only the body of a search may say.
fn check_confidential(caller: &Caller, of: &ResourceType, bound: &Bound) -> Result<(), ScimError> {
    let mut is_confidential = false;
    each_location(bound, &mut |it| {
        is_confidential |= caller.view.is_confidential(of.kind(), it);
    });
    match is_confidential {
        false => Ok(()),
        true => Err(ScimError::sensitive(
            "the filter names values that must not stand in a URL; use POST …/.search",
        )),
    }
}

/// Resources of that kind.
fn is_of(kind: &ResourceKind) -> Bound {
    let location = Location::new("meta").with_sub("resourceType");
    let attribute = Attribute::new(location, Type::String).case(Case::Exact);
    Bound::Compare { attribute, op: Op::Eq, operand: Operand::Text(kind.as_str().into()) }
}
