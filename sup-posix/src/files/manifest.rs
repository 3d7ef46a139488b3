//! What a generation says about itself: where it came from, and the digest of each of its files.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::encode::MapFile;
use crate::{ledger::hex, source::Source};

const HEAD: &str = "sup-generation 1";
pub(super) const NAME: &str = "manifest";

/// The manifest of a generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Manifest {
    pub(super) source: Source,
    digests: BTreeMap<String, String>,
}

impl Manifest {
    pub(super) fn new(source: &Source, files: &[MapFile]) -> Self {
        let digests = files.iter().map(|file| (file.name.to_owned(), digest(&file.bytes)));
        Self { source: source.clone(), digests: digests.collect() }
    }

    /// Whether `bytes` is what was written as `name`.
    pub(super) fn holds(&self, name: &str, bytes: &[u8]) -> bool {
        self.digests.get(name).is_some_and(|known| *known == digest(bytes))
    }

    pub(super) fn text(&self) -> String {
        let Source { organisation, cluster, epoch, position } = &self.source;
        let mut text = format!(
            "{HEAD}\norganisation\t{organisation}\ncluster\t{cluster}\nepoch\t{epoch}\nposition\t{position}\n"
        );
        for (name, digest) in &self.digests {
            text.push_str(&format!("sha256\t{name}\t{digest}\n"));
        }
        text
    }

    /// Reads what [`Manifest::text`] wrote, and nothing else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut lines = text.strip_prefix(HEAD)?.strip_prefix('\n')?.lines();
        let mut field =
            |name| Some(lines.next()?.strip_prefix(name)?.strip_prefix('\t')?.to_owned());
        let source = Source {
            organisation: field("organisation")?,
            cluster: field("cluster")?.parse().ok()?,
            epoch: field("epoch")?,
            position: field("position")?.parse().ok()?,
        };
        let digests = lines.map(|line| {
            let (name, digest) = line.strip_prefix("sha256\t")?.split_once('\t')?;
            Some((name.to_owned(), digest.to_owned()))
        });
        let manifest = Self { source, digests: digests.collect::<Option<_>>()? };
        (manifest.text() == text).then_some(manifest)
    }
}

pub(super) fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}
