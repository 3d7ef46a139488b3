//! What clients ask a person or a group to be on clusters, parsed once. Rules refuse what cannot be used; the completion assigns
//! the rest.

use std::fmt::Display;

use scim_core::{Object, schema::Location};
use serde_json::Value;
use sup_posix::{Gid, HomeDir, PosixName, Shell, Uid, derive_group_name, derive_name};

use crate::{
    coreweave::{GROUP_ID, GROUP_NAME, HOME, SHELL, USER_ID, USERNAME, at},
    iam::{GROUP, USER},
};

/// What one client asks of an attribute.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) enum Asked<T> {
    #[default]
    Nothing,
    Value(T),
    /// A text or number that clusters could not use, as it was sent, and the rule that it breaks.
    Unusable {
        sent: String,
        why: String,
    },
}

impl<T> Asked<T> {
    fn parse<E: Display>(
        value: Option<&Value>,
        parse: impl FnOnce(&Value) -> Result<T, E>,
    ) -> Self {
        let Some(value) = value else { return Self::Nothing };
        match parse(value) {
            Ok(value) => Self::Value(value),
            Err(why) => Self::Unusable { sent: value.to_string(), why: why.to_string() },
        }
    }

    pub(crate) fn value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            _ => None,
        }
    }
}

/// The names and numbers that a person or a group is to have. A group has neither uid nor home nor shell.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Identity {
    pub(crate) name: Asked<PosixName>,
    /// The name that is made where none is asked for.
    pub(crate) derived: Option<PosixName>,
    pub(crate) uid: Asked<Uid>,
    /// The number of a group; of a person, that of the primary group.
    pub(crate) gid: Asked<Gid>,
    pub(crate) home: Asked<HomeDir>,
    pub(crate) shell: Asked<Shell>,
}

impl Identity {
    /// What is asked of a resource with this sent part; nothing of any other kind.
    pub(crate) fn of(kind: &str, sent: &Object) -> Self {
        match kind {
            USER => Self::of_user(sent),
            GROUP => Self::of_group(sent),
            _ => Self::default(),
        }
    }

    fn of_user(sent: &Object) -> Self {
        let user_name = sent.text(&Location::new("userName"));
        Self {
            name: Asked::parse(sent.at(&at(USERNAME)), |it| PosixName::new(text(it))),
            derived: user_name.and_then(|name| derive_name(name).ok()),
            uid: Asked::parse(sent.at(&at(USER_ID)), |it| Uid::new(number(it))),
            gid: Asked::parse(sent.at(&at(GROUP_ID)), |it| Gid::new(number(it))),
            home: Asked::parse(sent.at(&at(HOME)), |it| HomeDir::new(text(it))),
            shell: Asked::parse(sent.at(&at(SHELL)), |it| Shell::new(text(it))),
        }
    }

    fn of_group(sent: &Object) -> Self {
        let display_name = sent.text(&Location::new("displayName"));
        let (name, gid) = (Location::new(GROUP_NAME), Location::new(GROUP_ID));
        Self {
            name: Asked::parse(sent.at(&name), |it| PosixName::new(text(it))),
            derived: display_name.and_then(|name| derive_group_name(name).ok()),
            gid: Asked::parse(sent.at(&gid), |it| Gid::new(number(it))),
            ..Self::default()
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn number(value: &Value) -> i64 {
    value.as_i64().unwrap_or_default()
}
