//! What a measurement found, and what of it breaks a bound.

use std::{collections::BTreeMap, fmt, time::Duration};

use bytes::Bytes;
use http::Request;
use serde_json::json;

use super::directory::{NAME, OWN};

/// Who sends a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Who {
    /// The token of `acme` that sends the costly requests.
    Crowd,
    /// Another token of `acme`.
    Token,
    /// The token of `umbrella`.
    Organisation,
}

impl Who {
    pub(super) const OTHERS: [Self; 2] = [Self::Token, Self::Organisation];

    pub(super) fn organisation(self) -> &'static str {
        match self {
            Self::Crowd | Self::Token => "acme",
            Self::Organisation => "umbrella",
        }
    }
}

/// A request that costs little.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Small {
    /// GET of one user.
    Read,
    /// A filter by `userName`, as an identity provider looks a person up.
    Find,
    /// A list of ten users.
    List,
    /// A PATCH of one attribute of one user.
    Patch,
}

impl Small {
    pub(super) const ALL: [Self; 4] = [Self::Read, Self::Find, Self::List, Self::Patch];

    pub(super) fn request(self, who: Who, round: usize) -> Request<Bytes> {
        let base = format!("/{}/Users", who.organisation());
        let title = json!({"Operations": [
            {"op": "replace", "path": "title", "value": format!("Title {round}")}
        ]});
        let (method, target, body) = match self {
            Self::Read => ("GET", format!("{base}/{OWN}"), Bytes::new()),
            Self::Find => {
                let filter = format!("filter=userName%20eq%20%22{NAME}%22");
                ("GET", format!("{base}?{filter}"), Bytes::new())
            }
            Self::List => ("GET", format!("{base}?count=10"), Bytes::new()),
            Self::Patch => ("PATCH", format!("{base}/{OWN}"), title.to_string().into()),
        };
        Request::builder().method(method).uri(target).body(body).unwrap_or_default()
    }
}

/// What came of one kind of costly request, and of the small ones meanwhile.
#[derive(Debug)]
#[non_exhaustive]
pub struct Figures {
    /// The kind.
    pub kind: &'static str,
    /// How many costly requests were under way.
    pub crowd: usize,
    /// How often the crowd was told what.
    pub told: BTreeMap<String, usize>,
    /// How long the slowest costly request took.
    pub slowest: Duration,
    /// Whether the crowd waited for answers when time was over.
    pub unanswered: bool,
    /// How long the small requests took, in the order in which they were sent.
    pub times: BTreeMap<(Who, Small), Vec<Duration>>,
}

impl Figures {
    pub(super) fn new(kind: &'static str, crowd: usize) -> Self {
        let (told, slowest) = (BTreeMap::new(), Duration::ZERO);
        Self { kind, crowd, told, slowest, unanswered: false, times: BTreeMap::new() }
    }

    pub(super) fn answered(&mut self, told: String, took: Duration) {
        *self.told.entry(told).or_default() += 1;
        self.slowest = self.slowest.max(took);
    }

    /// The time within which so many of a hundred small requests were answered.
    pub fn percentile(&self, who: Who, small: Small, percent: usize) -> Duration {
        percentile(self.times.get(&(who, small)), percent)
    }

    /// What breaks a bound, a line for each: of the time of 99 of 100, and of the slowest.
    pub(super) fn faults(&self, longest: impl Fn(Who, Small) -> [Duration; 2]) -> Vec<String> {
        let Self { kind, crowd, .. } = self;
        let mut faults = vec![];
        for (told, count) in &self.told {
            // Alone it is answered; in a crowd it may be refused, with the time to come again.
            let is_refusal = ["429 later", "503 later"].contains(&told.as_str());
            if told != "done" && (*crowd == 0 || !is_refusal) {
                faults.push(format!("{kind}, crowd of {crowd}: {count} times {told}"));
            }
        }
        if self.unanswered {
            faults.push(format!("{kind}, crowd of {crowd}: no answer to some"));
        }
        for (who, small) in self.times.keys() {
            for (percent, longest) in [99, 100].into_iter().zip(longest(*who, *small)) {
                let took = self.percentile(*who, *small, percent);
                if took > longest {
                    faults.push(format!(
                        "{kind}, crowd of {crowd}: {percent} of 100 {small:?} of another {who:?} took {took:.1?}, more than {longest:.1?}"
                    ));
                }
            }
        }
        faults
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, crowd, told, slowest, .. } = self;
        if *crowd == 0 {
            return write!(out, "{kind}, alone: {told:?}, slowest {slowest:.1?}");
        }
        write!(out, "{kind}, crowd of {crowd}: {told:?}, slowest {slowest:.1?}")?;
        for ((who, small), times) in &self.times {
            let of = |percent| self.percentile(*who, *small, percent);
            let who = format!("{who:?} {small:?}");
            write!(
                out,
                "\n  {who:<20} {:>5} times, half {:>8.1?}, p99 {:>8.1?}, slowest {:>8.1?}",
                times.len(),
                of(50),
                of(99),
                of(100),
            )?;
        }
        Ok(())
    }
}

/// The time within which so many of a hundred were done.
pub(super) fn percentile(times: Option<&Vec<Duration>>, percent: usize) -> Duration {
    let mut times = times.cloned().unwrap_or_default();
    times.sort_unstable();
    let at = (times.len() * percent / 100).min(times.len().saturating_sub(1));
    times.get(at).copied().unwrap_or_default()
}
