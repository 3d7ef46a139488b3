//! Lists: of one type, or of all types in one order.

use scim_filter::{AttrPath, Attribute, Bound, Case, Location, Op, Operand, Resolution, Resolve};

use super::{
    Caller, Service,
    cursor::page_size,
    encode::{ListResponse, Outcome, Place, Rendered},
    moment::Moment,
    parameters::{Conditions, Parameters},
    references::Named,
    store_error,
};
use crate::{
    ResourceType, ScimError,
    project::{Projection, Renderer},
    resource_type::Askable,
    schema::Type,
    store::{
        Order, Page, Paging, Position, Query, Resource, ResourceKind, Sort, StoreError, Want,
        each_location,
    },
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
            let now = self.store.changes(&caller.tenant, Position::START, 0).await;
            let now = now.map_err(store_error)?;
            let now = Moment::new(caller, &now.epoch, now.last);
            if conditions.has_seen(&now.to_string()) {
                return Ok(Outcome::NotModified(now.etag()));
            }
        }
        let mut page = self.store.query(&caller.tenant, &query).await.map_err(store_error)?;
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
        let resources = asked.render(&page, &named).map_err(store_error)?;
        let moment = Moment::new(caller, &page.epoch, page.position);
        Ok(Outcome::List(ListResponse::new(page.total, place, resources, Some(moment.etag()))))
    }

    fn query(&self, asked: &Asked<'_>, parameters: &Parameters) -> Result<Query, ScimError> {
        let mut query = Query::of(asked.kinds(), 0);
        query.filter = self.filter(asked, parameters)?;
        query.part = asked.caller.view.part();
        query.sort = asked.sort(parameters)?;
        query.want = asked.want();
        if let Some(filter) = &query.filter {
            for (of, _) in &asked.types {
                query.want.add_compared(filter, |direction| of.copies_along(direction));
            }
        }
        query.most_members = self.limits.page_members;
        let start = parameters.number("startindex")?.unwrap_or(1).max(1).unsigned_abs();
        let count = parameters.number("count")?;
        let count = count.map_or(self.limits.default_page, |it| page_size(it, &self.limits));
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

/// How a list is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    Url,
    Search,
}

/// What a list is asked of: its types, each with what of it the answer holds.
pub(super) struct Asked<'a> {
    pub(super) caller: &'a Caller,
    types: Vec<(&'a ResourceType, Projection)>,
    by: By,
}

impl<'a> Asked<'a> {
    fn read(
        caller: &'a Caller,
        types: &[&'a ResourceType],
        parameters: &Parameters,
        by: By,
    ) -> Result<Self, ScimError> {
        let types = types
            .iter()
            .map(|of| Ok((*of, super::answer::projection(of, parameters, caller)?)))
            .collect::<Result<_, ScimError>>()?;
        Ok(Self { caller, types, by })
    }

    pub(super) fn kinds(&self) -> Vec<ResourceKind> {
        self.types.iter().map(|(of, _)| of.kind().clone()).collect()
    }

    /// What must be read of each resource so that those of every type can be shown.
    fn want(&self) -> Want {
        let mut all = Want::DOCUMENTS;
        for (of, projection) in &self.types {
            all.extend(projection.want(of, &self.caller.view));
        }
        all
    }

    fn render(&self, page: &Page, named: &Named) -> Result<Vec<Rendered>, StoreError> {
        page.resources.iter().filter_map(|resource| self.render_one(resource, named)).collect()
    }

    fn render_one(
        &self,
        resource: &Resource,
        named: &Named,
    ) -> Option<Result<Rendered, StoreError>> {
        let (of, projection) = self.types.iter().find(|(of, _)| *of.kind() == resource.kind)?;
        let renderer = Renderer {
            types: &self.caller.types,
            resource_type: of,
            view: &self.caller.view,
            base: &self.caller.base,
            projection,
            written: &[],
            named,
        };
        Some(renderer.render(resource))
    }

    /// The order that a request asks for (RFC 7644 §3.4.2.3). `sortOrder` alone counts for nothing.
    fn sort(&self, parameters: &Parameters) -> Result<Option<Sort>, ScimError> {
        let Some(by) = parameters.text("sortby").filter(|by| !by.trim().is_empty()) else {
            return Ok(None);
        };
        let order = match parameters.text("sortorder").map(str::to_ascii_lowercase).as_deref() {
            None | Some("" | "ascending") => Order::Ascending,
            Some("descending") => Order::Descending,
            Some(_) => {
                return Err(ScimError::invalid_value(
                    "sortOrder must be `ascending` or `descending`",
                ));
            }
        };
        let unsortable =
            || ScimError::invalid_value(format!("`{by}` is no attribute that one can sort by"));
        let path = AttrPath::parse(by).map_err(|_| unsortable())?;
        let mut found = self.types.iter().filter_map(|(of, _)| {
            let within = Within { of, asked: self };
            sortable(&within, &path)
        });
        let attribute = found.next().ok_or_else(unsortable)?;
        Ok(Some(Sort { by: attribute, order }))
    }
}

/// A type among others: what only another type has, has no value here (RFC 7644 §3.4.2.1), and what nobody may ask about in one of
/// them, nobody may ask about.
struct Within<'a> {
    of: &'a ResourceType,
    asked: &'a Asked<'a>,
}

impl Within<'_> {
    fn among(&self, resolve: impl Fn(&Askable<'_>) -> Resolution) -> Resolution {
        let view = &self.asked.caller.view;
        let all = self.asked.types.iter().map(|(of, _)| resolve(&Askable { of, view }));
        let own = resolve(&Askable { of: self.of, view });
        let mut others = all.filter(|it| *it != Resolution::Unknown).peekable();
        match own {
            Resolution::Unknown if others.peek().is_none() => Resolution::Unknown,
            _ if others.any(|it| it == Resolution::Forbidden) => Resolution::Forbidden,
            Resolution::Unknown => Resolution::NoValue,
            own => own,
        }
    }
}

impl Resolve for Within<'_> {
    fn resolve(&self, path: &AttrPath) -> Resolution {
        self.among(|of| of.resolve(path))
    }

    fn sub_attribute(&self, parent: &Attribute, name: &str) -> Resolution {
        let view = &self.asked.caller.view;
        Askable { of: self.of, view }.sub_attribute(parent, name)
    }
}

/// The attribute to sort by: a simple one, or the `value` of a list of complex ones.
fn sortable(of: &dyn Resolve, path: &AttrPath) -> Option<Attribute> {
    let simple = |resolution| match resolution {
        Resolution::Found(attribute) => Some(attribute),
        _ => None,
    };
    let attribute = simple(of.resolve(path))?;
    match attribute.kind {
        Type::Complex if attribute.multi_valued => simple(of.sub_attribute(&attribute, "value")),
        Type::Complex => None,
        _ => Some(attribute),
    }
}

/// Resources of that kind.
fn is_of(kind: &ResourceKind) -> Bound {
    let location = Location::new("meta").with_sub("resourceType");
    let attribute = Attribute::new(location, Type::String).case(Case::Exact);
    Bound::Compare { attribute, op: Op::Eq, operand: Operand::Text(kind.as_str().into()) }
}
