//! Where everybody lives: the cluster's word, an acceptable preference, or the default (`dom:b-9`, `sec:U-13`).

use std::collections::{BTreeMap, BTreeSet};

use super::{
    notes::Warning,
    roster::{Citizen, Roster},
};
use crate::{
    cluster::{Cluster, Homes},
    home::HomeDir,
    ledger::{Ledger, Owner},
    name::PosixName,
    path::PathError,
};

/// What is known about homes before anybody's is chosen.
pub(super) struct Residences<'a> {
    homes: &'a Homes,
    ledger: &'a Ledger,
    owners: BTreeMap<&'a str, &'a Citizen<'a>>,
    /// How many people would like each directory or get it by default.
    wanted: BTreeMap<HomeDir, usize>,
    /// Every directory above a wanted one.
    above: BTreeSet<String>,
}

impl<'a> Residences<'a> {
    pub(super) fn new(
        roster: &'a Roster<'a>,
        served: &[&'a Citizen<'a>],
        cluster: &'a Cluster,
        ledger: &'a Ledger,
    ) -> Self {
        let owners = roster.citizens().map(|citizen| (citizen.name.as_str(), citizen)).collect();
        let homes = &cluster.homes;
        let mut wanted = BTreeMap::new();
        for citizen in served {
            let default = homes.default.home(&citizen.name).ok();
            let preferred = preference(citizen)
                .and_then(Result::ok)
                .filter(|home| Some(home) != default.as_ref());
            for home in default.into_iter().chain(preferred) {
                *wanted.entry(home).or_insert(0) += 1;
            }
        }
        let served: BTreeSet<_> = served.iter().map(|citizen| &citizen.id).collect();
        for (_, stay) in ledger.stays(&cluster.name).filter(|(id, _)| !served.contains(id)) {
            *wanted.entry(stay.home.clone()).or_insert(0) += 1;
        }
        let above = wanted.keys().flat_map(HomeDir::above).map(str::to_owned).collect();
        Self { homes, ledger, owners, wanted, above }
    }

    /// The home of `citizen`, and what he must be told about it.
    pub(super) fn of(
        &self,
        citizen: &Citizen<'_>,
    ) -> Result<(HomeDir, Option<Warning>), PathError> {
        let name = &citizen.name;
        if let Some(forced) = &self.homes.forced {
            return Ok((forced.home(name)?, None));
        }
        let home = self.homes.default.home(name)?;
        let preferred = match preference(citizen) {
            None => return Ok((home, None)),
            Some(Err(error)) => {
                let warning = Warning::HomeForm { name: name.clone(), home: home.clone(), error };
                return Ok((home, Some(warning)));
            }
            Some(Ok(preferred)) => preferred,
        };
        match self.refusal(citizen, &home, &preferred) {
            None => Ok((preferred, None)),
            Some(why) => {
                let warning =
                    Warning::HomeRefused { name: name.clone(), home: home.clone(), preferred, why };
                Ok((home, Some(warning)))
            }
        }
    }

    fn refusal(
        &self,
        citizen: &Citizen<'_>,
        default: &HomeDir,
        preferred: &HomeDir,
    ) -> Option<&'static str> {
        if preferred == default {
            return None;
        }
        let mut tenants =
            self.homes.bases.iter().filter_map(|base| base.tenant(preferred)).peekable();
        if tenants.peek().is_none() {
            return Some("is outside the cluster's directories of homes");
        }
        if tenants.any(|tenant| self.is_anothers(citizen, tenant))
            || self.is_wanted(default, preferred)
        {
            return Some("is somebody else's, holds somebody's or lies in one");
        }
        None
    }

    /// Whether a directory of that name is where another person's home is or was.
    fn is_anothers(&self, citizen: &Citizen<'_>, tenant: &str) -> bool {
        let living = self.owners.get(tenant).is_some_and(|owner| owner.id != citizen.id);
        let past = PosixName::new(tenant).ok().and_then(|name| self.ledger.owner_of_name(&name));
        living || past.is_some_and(|owner| *owner != Owner::User(citizen.id.clone()))
    }

    fn is_wanted(&self, default: &HomeDir, preferred: &HomeDir) -> bool {
        let others = |home: &HomeDir| {
            let mine = usize::from(home == default);
            self.wanted.get(home).is_some_and(|wanted| *wanted > mine)
        };
        let twice = self.wanted.get(preferred).is_some_and(|wanted| *wanted > 1);
        let mut around = preferred.above().filter_map(|dir| HomeDir::new(dir).ok());
        twice || self.above.contains(preferred.as_str()) || around.any(|dir| others(&dir))
    }
}

fn preference(citizen: &Citizen<'_>) -> Option<Result<HomeDir, PathError>> {
    let text = citizen.person.home.as_deref().filter(|text| !text.is_empty())?;
    Some(HomeDir::new(text))
}
