//! Sessions of identity providers, played against any SCIM service.
//!
//! A [`Transcript`] is what one client sends in one sitting, and what it looks at in each answer. The crate carries some forty, from Okta,
//! Entra ID and the others: [`recorded`] gives them, [`load`] reads more from a folder, in the format of `transcripts/README.md`. A
//! [`Player`] sends one over a [`Transport`](scim_core::Transport), so that a service can be held to them over the network or without a
//! socket; [`Through`] makes a transport of a function.
//!
//! # Examples
//!
//! Every session against the engine, each in an organisation of its own:
//!
//! ```
//! use std::sync::Arc;
//!
//! use scim_core::{Caller, MemoryStore, Overlay, ResourceType, ResourceTypes, Service, schema};
//! use scim_core::service::InProcess;
//! use scim_testkit::transcript::{Player, recorded};
//!
//! # pollster::block_on(async {
//! let service = Service::new(Arc::new(MemoryStore::new()));
//! // What Microsoft's validator wants, and the RFC does not: no two groups of one name.
//! let groups = ResourceType::group().with(Overlay::Unique(schema::GROUP, "displayName"));
//! let types = Arc::new(ResourceTypes::new(vec![ResourceType::user(), groups]).unwrap());
//! for transcript in recorded() {
//!     let base: url::Url = "https://scim.example.com/v2".parse().unwrap();
//!     let mut caller = Caller::new(transcript.path.as_str(), base.clone());
//!     caller.types = types.clone();
//!     let transport = Arc::new(InProcess::new(service.clone(), caller));
//!     let played = Player::new(transport, base).play(&transcript).await.unwrap();
//!     assert_eq!(played.requests, transcript.requests());
//! }
//! # });
//! ```

mod pattern;
mod player;
mod recorded;
mod session;
mod through;

use std::{fs, path::Path};

pub use player::{Failed, Played, Player};
pub use recorded::recorded;
pub use session::{DialectName, Transcript, Unreadable};
pub use through::Through;

/// The sessions in the folders of a folder, as in `okta/01_custom_app.json`, in the order of their names.
///
/// # Errors
///
/// [`Unreadable`] at the first file `*.json` that cannot be read or is no session.
pub fn load(folder: &Path) -> Result<Vec<Transcript>, Unreadable> {
    let mut found = vec![];
    for client in entries(folder)?.iter().filter(|it| it.is_dir()) {
        for file in entries(client)? {
            if file.extension().is_some_and(|it| it == "json") {
                let path = file.strip_prefix(folder).unwrap_or(&file).display().to_string();
                let text = fs::read_to_string(&file);
                let text = text.map_err(|error| Unreadable::new(&path, error))?;
                found.push(Transcript::parse(path, &text)?);
            }
        }
    }
    Ok(found)
}

fn entries(folder: &Path) -> Result<Vec<std::path::PathBuf>, Unreadable> {
    let read = fs::read_dir(folder).and_then(|entries| {
        entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()
    });
    let mut paths = read.map_err(|error| Unreadable::new(folder.display().to_string(), error))?;
    paths.sort_unstable();
    Ok(paths)
}
