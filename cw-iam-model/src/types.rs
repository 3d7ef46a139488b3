//! The resource types of an organisation, as each kind of token sees them.

use std::sync::{Arc, LazyLock};

use scim_core::{
    Overlay, PatchAnswer, ResourceType, ResourceTypes,
    filter::{self, Case, Type},
    resource_type::{Membership, UnknownMember},
    schema::{Attribute, ENTERPRISE_USER, GROUP, Location, Mutability, Schema, USER},
    store::Copied,
};

use crate::{Department, Scope, coreweave, view};

static STRIP: LazyLock<[Arc<ResourceTypes>; 2]> = LazyLock::new(|| both(Department::Strip));
static KEEP: LazyLock<[Arc<ResourceTypes>; 2]> = LazyLock::new(|| both(Department::Keep));

/// The resource types of an organisation with this setting, as tokens of this scope see them.
///
/// `aup:write`: users with the enterprise and the CoreWeave extension, and groups. `sup:read`: also `members[].userName`, the POSIX name
/// of a member, and `groups` of a user, which would tell an identity provider of groups that do not exist for it.
///
/// # Examples
///
/// ```
/// use cw_iam_model::{COREWEAVE_USER, Department, Scope, resource_types};
///
/// let types = resource_types(Department::Strip, Scope::AupWrite);
/// let users = types.at_endpoint("Users").unwrap();
/// assert!(users.extension(COREWEAVE_USER).is_some());
/// ```
pub fn resource_types(department: Department, scope: Scope) -> Arc<ResourceTypes> {
    let [writer, reader] = match department {
        Department::Strip => &*STRIP,
        Department::Keep => &*KEEP,
    };
    match scope {
        Scope::AupWrite => writer.clone(),
        Scope::SupRead => reader.clone(),
    }
}

/// What people and groups are looked up and sorted by on clusters and by the rules, beside what the
/// core schemas have: a store does well to keep an index of each. The kind of resource, and the
/// attribute as filters name it.
///
/// # Examples
///
/// ```
/// let marked = cw_iam_model::marked();
/// assert!(marked.iter().any(|(kind, it)| *kind == "User" && &*it.location.name == "sunkPosixUserId"));
/// ```
pub fn marked() -> [(&'static str, filter::Attribute); 5] {
    let text = |at| filter::Attribute::new(at, Type::String).case(Case::Exact);
    let number = |at| filter::Attribute::new(at, Type::Integer);
    [
        ("User", text(coreweave::at(coreweave::USERNAME))),
        ("User", number(coreweave::at(coreweave::USER_ID))),
        ("Group", text(Location::new(coreweave::GROUP_NAME))),
        ("Group", number(Location::new(coreweave::GROUP_ID))),
        ("Group", view::policies()),
    ]
}

fn both(department: Department) -> [Arc<ResourceTypes>; 2] {
    let user = || user(department);
    let writer = vec![user().with(Overlay::Hide(USER, "groups")), group(vec![])];
    [compiled(writer), compiled(vec![user(), reader_group()])]
}

#[expect(clippy::expect_used, reason = "four fixed sets, each of which the tests make")]
fn compiled(types: Vec<ResourceType>) -> Arc<ResourceTypes> {
    Arc::new(ResourceTypes::new(types).expect("the types of the IAM fit together"))
}

fn user(department: Department) -> ResourceType {
    let user = ResourceType::user().extended_by(coreweave::extension()).with(Overlay::Prevail(
        USER,
        "active",
        false.into(),
    ));
    match department {
        Department::Strip => user.with(Overlay::Discard(ENTERPRISE_USER, "department")),
        Department::Keep => user,
    }
}

fn reader_group() -> ResourceType {
    let name = Attribute::string("userName")
        .case_exact()
        .mutability(Mutability::ReadOnly)
        .described("The member's name on clusters.");
    group(vec![name])
}

/// Groups, whose members have these sub-attributes more.
fn group(more: Vec<Attribute>) -> ResourceType {
    let mut copied = vec![Copied::sent("display", &["displayName", "userName"])];
    copied.extend(
        more.iter().map(|it| Copied::assigned(&*it.name, coreweave::at(coreweave::USERNAME))),
    );
    let mut schema = Schema::group();
    if let Some(members) = schema.attributes.iter_mut().find(|it| it.name == "members") {
        members.sub_attributes.extend(more);
    }
    schema.attributes.extend(coreweave::group_attributes());
    ResourceType::new("Group", "/Groups", schema)
        .with_members(Membership::new("members", copied, UnknownMember::Refused))
        .answering_patch(PatchAnswer::None)
        .with(Overlay::Unique(GROUP, "displayName"))
}

#[cfg(test)]
mod tests {
    use scim_core::filter::{Bound, Coercion, Filter};

    use super::*;

    /// An index that no filter reaches would help nobody.
    #[test]
    fn filters_name_what_is_marked() {
        let types = resource_types(Department::Strip, Scope::SupRead);
        let of_clients = |marked: &filter::Attribute| {
            marked.location.extension.as_deref() != Some(scim_core::ASSIGNED)
        };
        for (kind, marked) in marked().into_iter().filter(|(_, marked)| of_clients(marked)) {
            let endpoint = format!("{kind}s");
            let filter: Filter = format!("{} pr", marked.location).parse().unwrap();
            let named = filter.bind(types.at_endpoint(&endpoint).unwrap(), &Coercion::STRICT);
            let Bound::Present(named) = named.unwrap() else { panic!("{marked:?}") };
            assert_eq!(named.location, marked.location);
            assert_eq!((named.kind, named.multi_valued), (marked.kind, marked.multi_valued));
            assert!(named.kind != Type::String || named.case == marked.case);
        }
    }
}
