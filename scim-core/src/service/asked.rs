//! What a list is asked of: its types, what of each the answer holds, and which names mean something in them.

use scim_filter::{AttrPath, Attribute, Resolution, Resolve};

use super::{Caller, outcome::Rendered, parameters::Parameters};
use crate::{
    ResourceType, ScimError,
    pace::{Pace, in_turn},
    project::Projection,
    resource_type::Askable,
    schema::Type,
    store::{Order, Page, Resource, ResourceKind, Sort, StoreError, Want},
    view::Named,
};

/// How a list is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    Url,
    Search,
}

/// What a list is asked of: its types, each with what of it the answer holds.
pub(super) struct Asked<'a> {
    pub(super) caller: &'a Caller,
    pub(super) types: Vec<(&'a ResourceType, Projection)>,
    pub(super) by: By,
}

impl<'a> Asked<'a> {
    pub(super) fn read(
        caller: &'a Caller,
        types: &[&'a ResourceType],
        parameters: &Parameters,
        by: By,
    ) -> Result<Self, ScimError> {
        let types = parameters.projections(types.iter().copied(), &caller.dialect)?;
        Ok(Self { caller, types, by })
    }

    pub(super) fn kinds(&self) -> Vec<ResourceKind> {
        self.types.iter().map(|(of, _)| of.kind().clone()).collect()
    }

    /// What must be read of each resource so that those of every type can be shown.
    pub(super) fn want(&self) -> Want {
        let mut all = Want::DOCUMENTS;
        for (of, projection) in &self.types {
            all.extend(projection.want(of, &self.caller.view));
        }
        all
    }

    pub(super) async fn render(
        &self,
        page: &Page,
        named: &Named,
    ) -> Result<Vec<Rendered>, StoreError> {
        let (mut rendered, mut pace) = (vec![], Pace::begin());
        for resource in &page.resources {
            in_turn(resource.size()?).await;
            rendered.extend(self.render_one(resource, named).transpose()?);
            pace.rest().await;
        }
        Ok(rendered)
    }

    fn render_one(
        &self,
        resource: &Resource,
        named: &Named,
    ) -> Option<Result<Rendered, StoreError>> {
        let (of, projection) = self.types.iter().find(|(of, _)| *of.kind() == resource.kind)?;
        Some(self.caller.renderer(of, (projection, &[]), named).render(resource))
    }

    /// The order that a request asks for (RFC 7644 §3.4.2.3). `sortOrder` alone counts for nothing.
    pub(super) fn sort(&self, parameters: &Parameters) -> Result<Option<Sort>, ScimError> {
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
        let mut sort = Sort::new(order);
        for (of, _) in &self.types {
            if let Some(attribute) = sortable(&Within { of, asked: self }, &path) {
                sort = sort.with_attribute(of.kind().clone(), attribute);
            }
        }
        if sort.by.is_empty() {
            return Err(unsortable());
        }
        Ok(Some(sort))
    }
}

/// A type among others: what only another type has, has no value here (RFC 7644 §3.4.2.1), and what nobody may ask about in one of
/// them, nobody may ask about.
pub(super) struct Within<'a> {
    pub(super) of: &'a ResourceType,
    pub(super) asked: &'a Asked<'a>,
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
