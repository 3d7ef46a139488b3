//! The player of the test kit, built here from its own files: the kit is a dependency of tests alone, and this is a program.

#[path = "../../../scim-testkit/src/transcript/pattern.rs"]
mod pattern;
#[path = "../../../scim-testkit/src/transcript/player.rs"]
mod player;
#[path = "../../../scim-testkit/src/transcript/session.rs"]
mod session;

pub(crate) use player::{Played, Player};
pub(crate) use session::Transcript;
