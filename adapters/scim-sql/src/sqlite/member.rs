//! Memberships: one row each, written as the difference.

use std::collections::BTreeSet;

use rusqlite::named_params;
use scim_core::store::{Condition, LogEnd, MemberId, Members, ResourceId, StoreError};

use super::{
    failure::Result,
    row::{bits, number},
    write::Writing,
};

impl Writing<'_> {
    /// Who came and who went, each in order of id.
    pub(super) fn change_members(
        &self,
        group: &ResourceId,
        members: &Members,
    ) -> Result<(Vec<ResourceId>, Vec<ResourceId>)> {
        let (come, gone) = match members {
            Members::Keep => return Ok((vec![], vec![])),
            Members::Delta { add, remove } => self.delta(group, add, remove)?,
            Members::Exactly(members) => self.difference(group, members)?,
        };
        for (id, kind) in &come {
            self.add_edge(group, &MemberId { kind: (*kind).clone(), id: (*id).clone() })?;
        }
        for id in &gone {
            self.remove_edge(group, id)?;
        }
        Ok((come.into_iter().map(|(id, _)| id.clone()).collect(), gone.into_iter().collect()))
    }

    /// Compares those who are to be members with those who are, both in order of id, in one walk along the index. Nothing is kept but what
    /// differs.
    fn difference<'m>(
        &self,
        group: &ResourceId,
        members: &'m [MemberId],
    ) -> Result<Difference<'m>> {
        let mut wanted: Vec<_> = members.iter().map(in_order).collect();
        // Fast where a client sends them as it got them.
        wanted.sort();
        let mut wanted = wanted.into_iter().peekable();
        let (mut come, mut gone) = (BTreeSet::new(), BTreeSet::new());
        let mut found = self.sql.prepare_cached(MEMBERS_IN_ORDER)?;
        let mut rows =
            found.query(named_params! { ":tenant": self.tenant, ":group": group.as_str() })?;
        while let Some(row) = rows.next()? {
            let now = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
            while let Some(new) = wanted.next_if(|(id, _)| id.as_str() < now) {
                come.insert(new);
            }
            let mut stays = false;
            while wanted.next_if(|(id, _)| id.as_str() == now).is_some() {
                stays = true;
            }
            if !stays {
                gone.insert(now.into());
            }
        }
        come.extend(wanted);
        Ok((come, gone))
    }

    /// Looks at nobody but those who are named.
    fn delta<'m>(
        &self,
        group: &ResourceId,
        add: &'m [MemberId],
        remove: &[ResourceId],
    ) -> Result<Difference<'m>> {
        let (mut come, mut gone) = (BTreeSet::new(), BTreeSet::new());
        for member in add {
            if !self.is_member(group, &member.id)? {
                come.insert(in_order(member));
            }
        }
        for id in remove {
            if self.is_member(group, id)? {
                gone.insert(id.clone());
            }
        }
        Ok((come, gone))
    }

    fn is_member(&self, group: &ResourceId, member: &ResourceId) -> Result<bool> {
        let mut found = self.sql.prepare_cached(
            "SELECT 1 FROM edge
             WHERE tenant = :tenant AND group_id = :group AND member_id = :member",
        )?;
        Ok(found.exists(named_params! {
            ":tenant": self.tenant, ":group": group.as_str(), ":member": member.as_str()
        })?)
    }

    /// The edge, if the member is there and of its kind.
    fn add_edge(&self, group: &ResourceId, member: &MemberId) -> Result<()> {
        let mut put = self.sql.prepare_cached(
            "INSERT INTO edge (tenant, group_id, member_id)
             SELECT tenant, :group, id FROM resource
             WHERE tenant = :tenant AND id = :member AND kind = :kind",
        )?;
        let made = put.execute(named_params! {
            ":tenant": self.tenant, ":group": group.as_str(),
            ":member": member.id.as_str(), ":kind": member.kind.as_str()
        })?;
        if made == 0 {
            let (kind, id) = (member.kind.clone(), member.id.clone());
            return Err(StoreError::Stale(Condition::Exists(kind, id)).into());
        }
        Ok(())
    }

    pub(super) fn remove_edge(&self, group: &ResourceId, member: &ResourceId) -> Result<()> {
        let mut remove = self.sql.prepare_cached(
            "DELETE FROM edge
             WHERE tenant = :tenant AND group_id = :group AND member_id = :member",
        )?;
        remove.execute(named_params! {
            ":tenant": self.tenant, ":group": group.as_str(), ":member": member.as_str()
        })?;
        Ok(())
    }

    /// In order of id.
    pub(super) fn members_of(&self, group: &ResourceId) -> Result<Vec<ResourceId>> {
        let mut found = self.sql.prepare_cached(MEMBERS_IN_ORDER)?;
        let key = named_params! { ":tenant": self.tenant, ":group": group.as_str() };
        let ids = found.query_map(key, |row| Ok(row.get::<_, String>(0)?.into()))?;
        Ok(ids.collect::<rusqlite::Result<_>>()?)
    }

    /// With their kinds, in order of id.
    pub(super) fn groups_of(&self, member: &ResourceId) -> Result<Vec<(String, ResourceId)>> {
        let mut found = self.sql.prepare_cached(
            "SELECT r.kind, e.group_id FROM edge e
             JOIN resource r ON r.tenant = e.tenant AND r.id = e.group_id
             WHERE e.tenant = :tenant AND e.member_id = :member ORDER BY e.group_id",
        )?;
        let key = named_params! { ":tenant": self.tenant, ":member": member.as_str() };
        let groups =
            found.query_map(key, |row| Ok((row.get(0)?, row.get::<_, String>(1)?.into())))?;
        Ok(groups.collect::<rusqlite::Result<_>>()?)
    }

    /// Notes when the memberships of some resources last changed.
    pub(super) fn move_memberships(&self, of: &[ResourceId], end: LogEnd) -> Result<()> {
        let mut put = self.sql.prepare_cached(
            "UPDATE resource SET memberships_stamp = :stamp, memberships = :position
             WHERE tenant = :tenant AND id = :id",
        )?;
        for id in of {
            put.execute(named_params! {
                ":tenant": self.tenant, ":id": id.as_str(),
                ":stamp": bits(end.stamp), ":position": number(end.position)
            })?;
        }
        Ok(())
    }
}

const MEMBERS_IN_ORDER: &str = "
    SELECT member_id FROM edge WHERE tenant = :tenant AND group_id = :group ORDER BY member_id";

/// Who comes, and who goes.
type Difference<'m> = (BTreeSet<InOrder<'m>>, BTreeSet<ResourceId>);

/// A member as it is sorted.
type InOrder<'m> = (&'m ResourceId, &'m scim_core::store::ResourceKind);

fn in_order(member: &MemberId) -> InOrder<'_> {
    (&member.id, &member.kind)
}
