//! Where a state comes from, so that one directory never overwrites another's, nor an old reading a newer one.

use crate::{
    cluster::{Cluster, ClusterName},
    directory::Directory,
};

/// Which reading of which directory a state was made of, for which cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The organisation, escaped where it is not printable.
    pub organisation: String,
    /// The cluster.
    pub cluster: ClusterName,
    /// What tells this position from the same one of another history, escaped where it is not
    /// printable.
    pub epoch: String,
    /// The position in that change log.
    pub position: u64,
}

impl Source {
    pub(crate) fn new(directory: &Directory, cluster: &Cluster) -> Self {
        Self {
            organisation: directory.organisation.escape_debug().to_string(),
            cluster: cluster.name.clone(),
            epoch: directory.epoch.escape_debug().to_string(),
            position: directory.position,
        }
    }
}
