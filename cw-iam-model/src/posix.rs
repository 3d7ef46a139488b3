//! Names and numbers on clusters: asked for by the identity provider or made here, claimed in the store, and kept for ever.

use std::ops::RangeInclusive;

use scim_core::{
    Object,
    schema::Location,
    store::{Claim, Wanted},
};
use serde_json::Value;
use sup_posix::{Gid, HomeDir, PosixName, Shell, Uid, derive_group_name, derive_name};

use crate::{
    Violation,
    coreweave::{GROUP_ID, GROUP_NAME, HOME, SHELL, USER_ID, USERNAME, at},
};

/// Numbers of people, each also that of the person's private group.
const USERS: [RangeInclusive<i64>; 3] =
    [20_000..=59_999, 65_536..=99_999, 1_879_048_192..=2_147_352_575];
/// Numbers of groups.
const GROUPS: [RangeInclusive<i64>; 3] =
    [10_000..=19_999, 65_536..=99_999, 1_879_048_192..=2_147_352_575];
/// The longest name, in bytes.
const LONGEST: usize = 32;

/// The spaces in which names and numbers are claimed. A person takes both of each kind, for everybody has a private group.
const NAMES: [&str; 2] = ["user", "group"];
const NUMBERS: [&str; 2] = ["uid", "gid"];

/// One write of a user or group, as far as clusters are concerned.
pub(crate) struct Posix<'a> {
    /// What clients sent, as it will be and as it was.
    pub(crate) sent: &'a Object,
    pub(crate) before: Option<&'a Object>,
    /// What was assigned.
    pub(crate) assigned: &'a mut Object,
    pub(crate) claims: Vec<Claim>,
}

impl Posix<'_> {
    /// # Errors
    ///
    /// [`Violation::Posix`] for a value that is new and cannot be used; [`Violation::NumberChanged`].
    pub(crate) fn user(&mut self) -> Result<(), Violation> {
        let derive = |sent: &Object| derive_name(sent.text(&Location::new("userName"))?).ok();
        self.name(at(USERNAME), &NAMES, derive)?;
        self.number(at(USER_ID), &NUMBERS, &USERS, |number| Uid::new(number).map(Uid::get))?;
        let primary = at(GROUP_ID);
        self.explicit(&primary, |value| {
            Gid::new(value.as_i64().unwrap_or_default()).map_err(|error| error.to_string())
        })?;
        // What was asked for counts as long as it stands there; nothing is assigned in its place.
        self.assigned.clear(&primary);
        self.explicit(&at(HOME), |value| {
            HomeDir::new(value.as_str().unwrap_or_default()).map_err(|error| error.to_string())
        })?;
        self.explicit(&at(SHELL), |value| {
            Shell::new(value.as_str().unwrap_or_default()).map_err(|error| error.to_string())
        })?;
        Ok(())
    }

    /// # Errors
    ///
    /// As for a user.
    pub(crate) fn group(&mut self) -> Result<(), Violation> {
        let derive =
            |sent: &Object| derive_group_name(sent.text(&Location::new("displayName"))?).ok();
        self.name(Location::new(GROUP_NAME), &["group"], derive)?;
        let gid = |number| Gid::new(number).map(Gid::get);
        self.number(Location::new(GROUP_ID), &["gid"], &GROUPS, gid)
    }

    /// The name that was asked for; else the one that there is; else the first free one like the derived one. A name that nothing can be
    /// derived from, or that would mean privilege, is none.
    fn name(
        &mut self,
        into: Location,
        spaces: &[&str],
        derive: impl FnOnce(&Object) -> Option<PosixName>,
    ) -> Result<(), Violation> {
        let asked = self.explicit(&into, |value| {
            PosixName::new(value.as_str().unwrap_or_default()).map_err(|error| error.to_string())
        })?;
        let wanted = match (asked, self.assigned.text(&into)) {
            (Some(asked), Some(assigned)) if asked.as_str() == assigned => return Ok(()),
            (Some(asked), _) => Wanted::Exact(asked.as_str().into()),
            (None, Some(_)) => return Ok(()),
            (None, None) => match derive(self.sent) {
                Some(name) => Wanted::First { stem: name.to_string(), longest: LONGEST },
                None => return Ok(()),
            },
        };
        self.claim(into, spaces, wanted);
        Ok(())
    }

    /// The number that there is; else the one that was asked for; else the next free one.
    fn number<E: ToString>(
        &mut self,
        into: Location,
        spaces: &[&str],
        ranges: &[RangeInclusive<i64>],
        check: impl Fn(i64) -> Result<u32, E>,
    ) -> Result<(), Violation> {
        let asked = self.explicit(&into, |value| {
            check(value.as_i64().unwrap_or_default()).map_err(|error| error.to_string())
        })?;
        let asked = asked.map(i64::from);
        match (asked, self.assigned.at(&into).and_then(Value::as_i64)) {
            (Some(sent), Some(assigned)) if sent != assigned && self.is_new(&into) => {
                let attribute = into.name.to_string();
                return Err(Violation::NumberChanged { attribute, assigned, sent });
            }
            (_, Some(_)) => {}
            (Some(number), None) => self.claim(into, spaces, Wanted::Exact(number.into())),
            (None, None) => self.claim(into, spaces, Wanted::Next(ranges.to_vec())),
        }
        Ok(())
    }

    /// The value that clients ask for, if it can be used. One that cannot is refused when it comes; later it counts for nothing, and so it
    /// does in a write that turns the account off, which must not fail.
    fn explicit<T>(
        &self,
        location: &Location,
        parse: impl FnOnce(&Value) -> Result<T, String>,
    ) -> Result<Option<T>, Violation> {
        let Some(value) = self.sent.at(location).filter(|_| !self.turns_off()) else {
            return Ok(None);
        };
        match parse(value) {
            Ok(parsed) => Ok(Some(parsed)),
            Err(_) if !self.is_new(location) => Ok(None),
            Err(why) => Err(Violation::Posix { attribute: location.name.to_string(), why }),
        }
    }

    fn is_new(&self, location: &Location) -> bool {
        self.before.is_none_or(|before| before.at(location) != self.sent.at(location))
    }

    fn turns_off(&self) -> bool {
        let active = Location::new("active");
        self.before.is_some() && self.sent.at(&active) == Some(&Value::Bool(false))
    }

    fn claim(&mut self, into: Location, spaces: &[&str], wanted: Wanted) {
        let spaces = spaces.iter().map(|space| (*space).into()).collect();
        self.claims.push(Claim { spaces, wanted, into });
    }
}
