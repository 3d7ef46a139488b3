//! What is read of one organisation of the [`MemoryStore`](super::MemoryStore): resources in order, and memberships.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use chrono::{DateTime, Utc};

use crate::{
    pace::Pace,
    store::{
        Copied, Document, Edge, End, LogEnd, Page, Query, Resource, ResourceId, ResourceKind,
        Selected, Selection, StoreError, UniqueKey, Version, Want, page::Filling,
    },
};

/// Those at the other ends of the memberships of each resource, in one direction.
pub(super) type Ends = HashMap<ResourceId, Arc<BTreeSet<ResourceId>>>;

#[derive(Debug, Clone, Default)]
pub(super) struct Rows {
    pub(super) rows: HashMap<ResourceId, Arc<Row>>,
    pub(super) order: BTreeMap<u64, ResourceId>,
    pub(super) members: Ends,
    pub(super) member_of: Ends,
}

#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) place: u64,
    pub(super) kind: ResourceKind,
    pub(super) version: Version,
    pub(super) created: DateTime<Utc>,
    pub(super) last_modified: DateTime<Utc>,
    pub(super) sent: Document,
    pub(super) assigned: Document,
    pub(super) keys: Vec<UniqueKey>,
}

impl Rows {
    pub(super) fn row(&self, kind: &ResourceKind, id: &ResourceId) -> Option<&Row> {
        self.rows.get(id).filter(|row| row.kind == *kind).map(|row| &**row)
    }

    pub(super) async fn get(
        &self,
        kind: &ResourceKind,
        id: &ResourceId,
        want: &Want,
    ) -> Result<Option<Resource>, StoreError> {
        let Some(row) = self.rows.get(id).filter(|row| row.kind == *kind) else { return Ok(None) };
        self.resource(id, row, want, &mut Pace::begin()).await.map(Some)
    }

    pub(super) async fn query(&self, query: &Query, end: LogEnd) -> Result<Page, StoreError> {
        let mut pace = Pace::begin();
        let selected = self.select(query, &mut pace).await?;
        let mut filling = Filling::new(selected, query, end);
        while let Some(place) = filling.next() {
            let missing = || StoreError::Corrupt(format!("nothing stands at {place}"));
            let id = self.order.get(&place).ok_or_else(missing)?;
            let row = self.rows.get(id).ok_or_else(missing)?;
            filling.add(self.resource(id, row, &query.want, &mut pace).await?);
        }
        Ok(filling.finish())
    }

    async fn select(&self, query: &Query, pace: &mut Pace) -> Result<Selected, StoreError> {
        let want = query.compared();
        // Those that are named are looked up, so that a member more costs the same in any organisation.
        let named: Option<BTreeMap<_, _>> = query.ids.as_ref().map(|ids| {
            ids.iter().filter_map(|id| Some((self.rows.get(id)?.place, id.clone()))).collect()
        });
        let mut selection = Selection::new(query);
        loop {
            for (place, id) in named.as_ref().unwrap_or(&self.order) {
                pace.step().await;
                let Some(row) = self.rows.get(id) else { continue };
                if query.kinds.contains(&row.kind) {
                    selection.offer(*place, &self.resource(id, row, &want, pace).await?)?;
                }
            }
            match selection.page() {
                Ok(selected) => return Ok(selected),
                Err(deeper) => selection = *deeper,
            }
        }
    }

    async fn resource(
        &self,
        id: &ResourceId,
        row: &Row,
        want: &Want,
        pace: &mut Pace,
    ) -> Result<Resource, StoreError> {
        let documents = (row.sent.clone(), row.assigned.clone());
        let mut resource = Resource::new(
            row.kind.clone(),
            id.clone(),
            row.version,
            row.created,
            row.last_modified,
            documents,
        );
        if let Some(copied) = &want.members {
            resource.members = Some(self.edges(&self.members, &resource, copied, pace).await?);
        }
        if let Some(copied) = &want.member_of {
            resource.member_of = Some(self.edges(&self.member_of, &resource, copied, pace).await?);
        }
        Ok(resource)
    }

    async fn edges(
        &self,
        ends: &Ends,
        holder: &Resource,
        copied: &[Copied],
        pace: &mut Pace,
    ) -> Result<Vec<Edge>, StoreError> {
        let mut edges = vec![];
        for id in ends.get(&holder.id).into_iter().flat_map(|ends| &**ends) {
            pace.step().await;
            edges.push(self.edge(id, copied, &holder.kind)?);
        }
        Ok(edges)
    }

    fn edge(
        &self,
        id: &ResourceId,
        copied: &[Copied],
        holder: &ResourceKind,
    ) -> Result<Edge, StoreError> {
        let row =
            self.rows.get(id).ok_or_else(|| StoreError::Corrupt(format!("an edge to {id}")))?;
        let (sent, assigned) = (row.sent.object()?, row.assigned.object()?);
        Ok(Edge::copying(copied, holder, End { kind: &row.kind, id, sent, assigned }))
    }
}
