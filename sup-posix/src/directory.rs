//! What an identity service says about people and groups, as read, before anything is believed.

/// One consistent reading of an organisation's users and groups.
///
/// Every field is raw: [`project`](crate::project) judges each value and quarantines what cannot be used. One snapshot feeds every map
/// of every cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Directory {
    /// The organisation that was read.
    pub organisation: String,
    /// What tells this position from the same one of another history: the service may have been set
    /// back to a copy, or is seen otherwise.
    pub epoch: String,
    /// The position of the change log at which this was the whole truth.
    pub position: u64,
    /// All users of the organisation, also inactive ones and those of no group.
    pub users: Vec<Person>,
    /// All groups of the organisation.
    pub groups: Vec<Team>,
    /// Ids of users that the change log says were deleted: explicit acts, which no guard delays.
    pub deleted: Vec<String>,
}

/// A user of the directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Person {
    /// The service's id, which never changes and is never reused.
    pub id: String,
    /// What the identity provider calls him; only for messages.
    pub user_name: String,
    /// Whether he may use anything.
    pub active: bool,
    /// The assigned login name.
    pub name: Option<String>,
    /// The assigned user number.
    pub uid: Option<i64>,
    /// The primary group's number, where it is not his private group.
    pub gid: Option<i64>,
    /// `name.formatted`
    pub formatted: Option<String>,
    /// `name.givenName`
    pub given: Option<String>,
    /// `name.familyName`
    pub family: Option<String>,
    /// `displayName`
    pub display: Option<String>,
    /// The preferred home directory.
    pub home: Option<String>,
    /// The preferred shell.
    pub shell: Option<String>,
    /// SSH public keys, one in each element.
    pub keys: Vec<String>,
}

impl Person {
    /// The first of formatted name, given and family name, and display name that says something.
    pub(crate) fn full_name(&self) -> String {
        let parts = [&self.given, &self.family].into_iter().flatten().map(|part| part.trim());
        let joined = parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
        let said = [self.formatted.clone(), Some(joined), self.display.clone()];
        said.into_iter().flatten().find(|name| !name.trim().is_empty()).unwrap_or_default()
    }
}

/// A group of the directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Team {
    /// The service's id, which never changes and is never reused.
    pub id: String,
    /// What people call it.
    pub display_name: String,
    /// The assigned POSIX name; none where the display name means privilege on a node.
    pub name: Option<String>,
    /// The assigned group number.
    pub gid: Option<i64>,
    /// The ids of its members.
    pub members: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_name_that_says_something_is_taken() {
        let full = |formatted: Option<&str>, given: Option<&str>, display: Option<&str>| {
            let text = |t: Option<&str>| t.map(str::to_owned);
            Person {
                formatted: text(formatted),
                given: text(given),
                display: text(display),
                ..Person::default()
            }
            .full_name()
        };
        assert_eq!(full(Some("Ada Byron"), Some("A"), Some("d")), "Ada Byron");
        assert_eq!(full(Some(" "), Some("Ada"), Some("d")), "Ada");
        assert_eq!(full(None, None, Some("d")), "d");
        assert_eq!(full(None, Some(""), None), "");
        let both =
            Person { given: Some("Ada".into()), family: Some("Byron".into()), ..Person::default() };
        assert_eq!(both.full_name(), "Ada Byron");
    }
}
