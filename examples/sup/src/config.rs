//! The configuration file: where the directory is, and what each cluster takes from it.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use sup_posix::{Cluster, HomeTemplate, Inactive, Shell, Shells};
use url::Url;

/// What `sup` reads at start.
///
/// ```
/// let config: sup::Config = toml::from_str(r#"
///     organisation = "acme"
///     base_url = "https://scim.example.com/scim/acme"
///     ledger = "/var/lib/sup/ledger"
///
///     [[cluster]]
///     name = "cluster-a"
///     dir = "/etc/nsscache"
///     groups = ["slurm-users"]
///     home = "/mnt/home/%u"
/// "#).unwrap();
/// assert_eq!(config.clusters[0].cluster().unwrap().groups, ["slurm-users"]);
/// ```
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Config {
    /// The organisation whose directory is read.
    pub organisation: String,
    /// The base of its SCIM service.
    pub base_url: Url,
    /// The environment variable that holds the token.
    #[serde(default = "token_variable")]
    pub token_env: String,
    /// The file that records for ever which names and numbers were given to whom. One for all clusters of this configuration.
    pub ledger: PathBuf,
    /// The clusters.
    #[serde(rename = "cluster")]
    pub clusters: Vec<ClusterConfig>,
}

/// One cluster: where its files go, and what it takes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ClusterConfig {
    /// Its name.
    pub name: String,
    /// Where its maps are written.
    pub dir: PathBuf,
    /// The groups whose members are its users, by POSIX name, display name or id.
    pub groups: Vec<String>,
    /// The groups whose members become root, by id.
    #[serde(default)]
    pub sudo_groups: Vec<String>,
    /// Everybody's home, with `%u` for the name; without it the user's preference counts.
    pub home: Option<String>,
    /// The home of a user who prefers none.
    pub default_home: Option<String>,
    /// The shell of a user who chose none that is allowed.
    pub shell: Option<String>,
    /// What becomes of leavers: `lock` for 30 days (default), or `drop` at once.
    #[serde(default)]
    pub inactive: Leavers,
}

/// What becomes of leavers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Leavers {
    /// Their lines stay, locked, so that files and jobs keep an owner.
    #[default]
    Lock,
    /// Their lines go.
    Drop,
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("`{path}` cannot be read: {cause}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// The file is not a configuration.
    #[error("`{path}` is no configuration: {cause}")]
    Parse {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: Box<toml::de::Error>,
    },
    /// A cluster has a value that it cannot have.
    #[error("cluster `{cluster}`: {cause}")]
    Cluster {
        /// The cluster.
        cluster: String,
        /// Why.
        cause: String,
    },
}

impl Config {
    /// Reads a configuration file.
    ///
    /// # Errors
    ///
    /// [`ConfigError`].
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|cause| ConfigError::Read { path: path.to_owned(), cause })?;
        toml::from_str(&text)
            .map_err(|cause| ConfigError::Parse { path: path.to_owned(), cause: Box::new(cause) })
    }
}

impl ClusterConfig {
    /// What the projection takes.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Cluster`] naming the value.
    pub fn cluster(&self) -> Result<Cluster, ConfigError> {
        let wrong = |cause: String| ConfigError::Cluster { cluster: self.name.clone(), cause };
        let template =
            |text: &String| text.parse::<HomeTemplate>().map_err(|error| wrong(error.to_string()));
        let name = self.name.parse();
        let mut cluster = Cluster::new(
            name.map_err(|error: sup_posix::ClusterNameError| wrong(error.to_string()))?,
        );
        cluster.groups.clone_from(&self.groups);
        cluster.sudo_groups.clone_from(&self.sudo_groups);
        cluster.homes.forced = self.home.as_ref().map(template).transpose()?;
        if let Some(default) = &self.default_home {
            cluster.homes.default = template(default)?;
        }
        if let Some(shell) = &self.shell {
            let shell = Shell::new(shell).map_err(|error| wrong(error.to_string()))?;
            let known = ["/bin/sh", "/bin/bash", "/bin/zsh"].into_iter().flat_map(Shell::new);
            cluster.shells = Shells::new(shell, known.chain([Shell::nologin()]));
        }
        if self.inactive == Leavers::Drop {
            cluster.inactive = Inactive::Drop;
        }
        Ok(cluster)
    }
}

fn token_variable() -> String {
    "SUP_SCIM_TOKEN".to_owned()
}
