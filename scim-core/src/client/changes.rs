//! The feed of changes, and a directory that is read once and then follows it.
//!
//! The feed is this project's own: `GET {base}/.changes?after=MOMENT&count=N&wait=SECONDS`, for services that announce
//! [`CHANGE_FEED`](super::CHANGE_FEED).

use std::{collections::BTreeMap, time::Duration};

use http::Method;
use serde_json::Value;

use super::{Client, ClientError, Feature, Outgoing, Query, exchange::parsed};
use crate::typed::Rest;

/// How often lists are read at most until they are of one moment, where there is no feed.
const ATTEMPTS: usize = 3;

/// A moment of a service: the text inside the ETag of a list, `EPOCH.POSITION`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment(String);

impl Moment {
    /// The moment that the ETag of a list names.
    ///
    /// ```
    /// use scim_core::client::Moment;
    ///
    /// let moment = Moment::of(r#"W/"e1.42""#).unwrap();
    /// assert_eq!((moment.epoch(), moment.position()), ("e1", 42));
    /// assert_eq!(Moment::of(r#""strong""#), None);
    /// ```
    pub fn of(validator: &str) -> Option<Self> {
        let text = validator.strip_prefix("W/\"")?.strip_suffix('"')?;
        let (epoch, position) = text.rsplit_once('.')?;
        (!epoch.is_empty() && position.parse::<u64>().is_ok()).then(|| Self(text.to_owned()))
    }

    /// Which change stands at the position, and as whom one looks at it. Two moments are the same
    /// only where the epochs are: a service that was set back to an older copy gives the same
    /// positions again, with other epochs.
    pub fn epoch(&self) -> &str {
        self.0.rsplit_once('.').map_or("", |(epoch, _)| epoch)
    }

    /// How many changes there were before.
    pub fn position(&self) -> u64 {
        self.0.rsplit_once('.').and_then(|(_, position)| position.parse().ok()).unwrap_or_default()
    }
}

/// What became of a resource.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Change {
    /// The name of its type, as in `User`.
    pub kind: String,
    /// Its identifier.
    pub id: String,
    /// What it is now.
    pub put: Put,
}

/// What a resource is after a change.
#[derive(Debug, Clone, PartialEq)]
pub enum Put {
    /// As it is shown now.
    Is(Rest),
    /// Gone, or out of sight.
    Gone,
}

/// A stretch of the feed.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Stretch {
    /// What changed, in order. Several changes of a resource may stand as the last of them.
    pub changes: Vec<Change>,
    /// The moment after them.
    pub moment: Moment,
    /// Whether there are more at once.
    pub more: bool,
}

/// Resources of some types, all of one moment.
///
/// What a service copies from other resources into one, as the `groups` of a user and the names of members, is as it was when that resource
/// was read: coming to a group changes the group. Take memberships from the groups.
///
/// # Examples
///
/// ```
/// # use std::sync::Arc;
/// # use scim_core::{Caller, Client, MemoryStore, Service, service::InProcess};
/// # let base: url::Url = "https://scim.example.com/acme".parse().unwrap();
/// # let service = Service::new(Arc::new(MemoryStore::new()));
/// # let transport = InProcess::new(service, Caller::new("acme", base.clone()));
/// # let client = Client::new(Arc::new(transport), base);
/// # pollster::block_on(async {
/// # client.create("Users", &serde_json::json!({"userName": "ada"})).await.unwrap();
/// let directory = client.directory(&["Users", "Groups"]).await.unwrap();
/// assert_eq!(directory.of("User").count(), 1);
/// assert_eq!(directory.of("Group").count(), 0);
/// # });
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Directory {
    kinds: Vec<String>,
    resources: BTreeMap<(String, String), Rest>,
    moment: Moment,
}

impl Directory {
    /// The resources of a type, in order of their ids.
    pub fn of<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = (&'a str, &'a Rest)> {
        let start = (kind.to_owned(), String::new());
        let after = self.resources.range(start..);
        let same = after.take_while(move |((its, _), _)| its == kind);
        same.map(|((_, id), resource)| (id.as_str(), resource))
    }

    /// The moment that it shows.
    pub fn moment(&self) -> &Moment {
        &self.moment
    }

    fn put(&mut self, kind: String, id: String, put: Put) {
        match put {
            Put::Is(resource) => _ = self.resources.insert((kind, id), resource),
            Put::Gone => _ = self.resources.remove(&(kind, id)),
        }
    }
}

impl Client {
    /// What changed after a moment. With `wait` the answer takes until something has, or so long; services take at most a minute.
    ///
    /// # Errors
    ///
    /// [`ClientError::Unsupported`] where the service has no such feed. [`ClientError::Refused`]
    /// with `expiredCursor` where the moment is too long ago, not of the history that the service
    /// has now, or of a token that saw other things: begin again with
    /// [`directory`](Self::directory).
    pub async fn changes(&self, after: &Moment, wait: Duration) -> Result<Stretch, ClientError> {
        if self.discovered().await?.offers(Feature::ChangeFeed) != Some(true) {
            return Err(ClientError::Unsupported(Feature::ChangeFeed));
        }
        let query = self.query_after(after, wait);
        let outgoing = Outgoing::new(Method::GET, ".changes").with_query(query);
        let body = parsed(&self.send(&outgoing).await?)?;
        stretch(body).ok_or_else(|| ClientError::Answer("this is no stretch of changes".to_owned()))
    }

    /// The serializer is not `Send`, so it may not live across an `await`.
    fn query_after(&self, after: &Moment, wait: Duration) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("after", &after.0);
        if !wait.is_zero() {
            query.append_pair("wait", &wait.as_secs().to_string());
        }
        query.extend_pairs(self.projection.in_url());
        query.finish()
    }

    /// Reads all resources at some endpoints as they were at one moment: first the lists, then what changed since the first page. Where
    /// there is no feed, the lists are read again until nothing changed meanwhile, three times.
    ///
    /// # Errors
    ///
    /// [`ClientError::NoVersion`] where the service does not say of which moment its lists are; [`ClientError::Changing`] after the third
    /// time. A directory of which only a part could be read is not given out.
    pub async fn directory(&self, endpoints: &[&str]) -> Result<Directory, ClientError> {
        let discovered = self.discovered().await?;
        let kind = |endpoint: &&str| {
            let unknown = || ClientError::Request(format!("the service has no `{endpoint}`"));
            discovered.resource_type(endpoint).map(str::to_owned).ok_or_else(unknown)
        };
        let kinds: Vec<String> = endpoints.iter().map(kind).collect::<Result<_, _>>()?;
        let follows = discovered.offers(Feature::ChangeFeed) == Some(true);
        for _ in 0..ATTEMPTS {
            let (mut directory, still) = self.lists(endpoints, &kinds).await?;
            match follows {
                true => {
                    self.follow(&mut directory, Duration::ZERO).await?;
                    return Ok(directory);
                }
                false if still => return Ok(directory),
                false => {}
            }
        }
        Err(ClientError::Changing)
    }

    /// Brings a directory to the present; tells whether anything changed. With `wait` it waits until something does, or so long.
    ///
    /// # Errors
    ///
    /// As [`changes`](Self::changes). What was read before an error is in the directory, which can go on from there.
    pub async fn follow(
        &self,
        directory: &mut Directory,
        wait: Duration,
    ) -> Result<bool, ClientError> {
        let mut changed = false;
        loop {
            let wait = if changed { Duration::ZERO } else { wait };
            let stretch = self.changes(&directory.moment, wait).await?;
            for Change { kind, id, put } in stretch.changes {
                if directory.kinds.contains(&kind) {
                    changed = true;
                    directory.put(kind, id, put);
                }
            }
            if stretch.more && stretch.moment == directory.moment {
                return Err(ClientError::Endless);
            }
            directory.moment = stretch.moment;
            if !stretch.more {
                return Ok(changed);
            }
        }
    }

    /// The lists, with the moment before the first of them, and whether all are of that moment.
    async fn lists(
        &self,
        endpoints: &[&str],
        kinds: &[String],
    ) -> Result<(Directory, bool), ClientError> {
        let mut resources = BTreeMap::new();
        let mut before: Option<Moment> = None;
        let mut still = true;
        for (endpoint, kind) in endpoints.iter().zip(kinds) {
            let mut list = self.list(endpoint, Query::all());
            while let Some(resource) = list.next().await {
                let resource = resource?;
                let id = resource.get("id").and_then(Value::as_str).map(str::to_owned);
                let id =
                    id.ok_or_else(|| ClientError::Answer("a resource has no id".to_owned()))?;
                resources.insert((kind.clone(), id), resource);
            }
            let first =
                list.first_validator().and_then(Moment::of).ok_or(ClientError::NoVersion)?;
            still &= list.is_of_one_moment() && before.as_ref().is_none_or(|it| *it == first);
            before.get_or_insert(first);
        }
        let moment = before.ok_or(ClientError::NoVersion)?;
        Ok((Directory { kinds: kinds.to_vec(), resources, moment }, still))
    }
}

fn stretch(body: Value) -> Option<Stretch> {
    let Value::Object(mut body) = body else { return None };
    let moment = format!("{}.{}", body.get("epoch")?.as_str()?, body.get("position")?.as_u64()?);
    let more = body.get("more")?.as_bool()?;
    let Value::Array(entries) = body.remove("changes")? else { return None };
    let changes = entries.into_iter().map(change).collect::<Option<_>>()?;
    Some(Stretch { changes, moment: Moment(moment), more })
}

fn change(entry: Value) -> Option<Change> {
    let Value::Object(mut entry) = entry else { return None };
    let text = |value: Option<Value>| match value {
        Some(Value::String(text)) => Some(text),
        _ => None,
    };
    let (kind, id) = (text(entry.remove("kind"))?, text(entry.remove("id"))?);
    let put = match (entry.remove("put"), entry.remove("delete")) {
        (Some(Value::Object(resource)), None) => Put::Is(resource),
        (None, Some(Value::Bool(true))) => Put::Gone,
        _ => return None,
    };
    Some(Change { kind, id, put })
}
