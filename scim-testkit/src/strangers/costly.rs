//! The requests that cost most, each kind at the published limits.

use std::fmt;

use bytes::Bytes;
use http::{Request, Response, header};
use serde_json::{Value, json};

use super::{
    body_of,
    directory::{ALL, GROUPS, long, members, user},
};

/// One kind of request that costs much.
#[derive(Clone)]
#[non_exhaustive]
pub struct Costly {
    /// What it is.
    pub name: &'static str,
    /// How many are under way, where the kind says so itself.
    pub crowd: Option<usize>,
    /// Whether it writes much in one batch.
    pub is_large_write: bool,
    /// The request of a number that no other one has, for an organisation of so many users.
    pub make: fn(usize, usize) -> Request<Bytes>,
    /// The request that follows from an answer.
    follow: fn(&Response<Bytes>) -> Option<Request<Bytes>>,
    budget: Budget,
}

/// Whether all operations of a bulk request are within what one request may look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Budget {
    Suffices,
    RunsOut,
}

impl fmt::Debug for Costly {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Costly").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Costly {
    fn new(name: &'static str, make: fn(usize, usize) -> Request<Bytes>) -> Self {
        let (crowd, is_large_write, budget) = (None, false, Budget::Suffices);
        Self { name, crowd, is_large_write, make, follow: |_| None, budget }
    }

    fn then(mut self, follow: fn(&Response<Bytes>) -> Option<Request<Bytes>>) -> Self {
        self.follow = follow;
        self
    }

    fn beyond_its_budget(mut self) -> Self {
        self.budget = Budget::RunsOut;
        self
    }

    fn crowd(mut self, crowd: usize) -> Self {
        self.crowd = Some(crowd);
        self
    }

    /// An answer in a word: `done`, or the status, with `later` where `Retry-After` stands beside
    /// it. A bulk request whose budget runs out is done as far as it reaches.
    pub(super) fn told(&self, answer: &Response<Bytes>) -> String {
        let status = answer.status();
        if !status.is_success() {
            let later = answer.headers().contains_key(header::RETRY_AFTER);
            return format!("{}{}", status.as_u16(), if later { " later" } else { "" });
        }
        let body = match self.name.contains("bulk") {
            true => body_of(answer),
            false => Value::Null,
        };
        let operations = body.get("Operations").and_then(Value::as_array).into_iter().flatten();
        let statuses = operations.filter_map(|operation| operation["status"].as_str());
        let is_end = |status: &str| self.budget == Budget::RunsOut && status == "413";
        let mut statuses = statuses.filter(|status| !status.starts_with('2') && !is_end(status));
        let fault = statuses.next();
        fault.map_or("done".to_owned(), |status| format!("an operation is {status}"))
    }

    pub(super) fn next(&self, answer: &Response<Bytes>) -> Option<Request<Bytes>> {
        answer.status().is_success().then(|| (self.follow)(answer)).flatten()
    }
}

/// The kinds.
pub fn costly() -> Vec<Costly> {
    let large_writes = large_writes().into_iter();
    let large_writes = large_writes.map(|kind| Costly { is_large_write: true, ..kind });
    reads().into_iter().chain(large_writes).chain(bulks()).collect()
}

fn reads() -> Vec<Costly> {
    vec![
        Costly::new("a filter by an unmarked attribute", |_, _| {
            search("Users", &any(200, |n| format!("title co \"nosuch{n}\"")))
        }),
        Costly::new("a filter by a marked attribute", |_, _| {
            search("Users", &any(200, |n| format!("userName co \"nosuch{n}\"")))
        }),
        Costly::new("a filter over e-mails", |_, _| {
            search("Users", &any(250, |n| format!("emails.value co \"nosuch{n}\"")))
        }),
        Costly::new("a nested filter", |_, _| {
            let term = |n| {
                format!(
                    "(not (emails[value sw \"x{n}\" or not (type eq \"work\")]) and title co \"{n}x\")"
                )
            };
            search("Users", &format!("not (not ({}))", any(80, term)))
        }),
        Costly::new("a filter over groups", |_, _| {
            search("Users", &any(100, |n| format!("groups.display co \"nosuch{n}\"")))
        }),
        Costly::new("a filter over members", |_, _| {
            search("Groups", &any(200, |n| format!("members.display co \"nosuch{n}\"")))
        }),
        Costly::new("a filter over all types", |_, _| {
            search("", &any(200, |n| format!("displayName co \"nosuch{n}\"")))
        }),
        Costly::new("an order by an unmarked attribute", |_, _| {
            get("/Users?sortBy=title&count=1000")
        }),
        Costly::new("a deep page", |users, _| {
            get(&format!("/Users?startIndex={}&count=1000", users.saturating_sub(1_000) + 1))
        }),
        Costly::new("a deep page by an unmarked attribute", |users, _| {
            let start = users.saturating_sub(1_000) + 1;
            get(&format!("/Users?sortBy=title&startIndex={start}&count=1000"))
        }),
        Costly::new("a walk by cursor", |_, _| get("/Users?cursor&count=1000")).then(follow_cursor),
        Costly::new("a walk by cursor along an unmarked attribute", |_, _| {
            get("/Users?cursor&count=1000&sortBy=title")
        })
        .then(|answer| follow_cursor(answer).map(sorted)),
        Costly::new("the group of all", |_, _| get(&format!("/Groups/{ALL}"))),
        Costly::new("a page of groups", |_, _| get("/Groups?count=1000")),
        Costly::new("a hundred readers of changes, and writers", |users, number| {
            match number % 13 {
                0 => title(&format!("/Users/{}", user(number % users)), number),
                _ => get("/Users?count=0"),
            }
        })
        .then(follow_changes)
        .crowd(104),
    ]
}

fn large_writes() -> Vec<Costly> {
    vec![
        Costly::new("a PUT of a large group", |users, number| {
            // Each takes half of the members away, or brings them.
            let count = if number % 2 == 0 { users } else { users / 2 };
            put("PUT", &format!("/Groups/g{}", number / 2 % GROUPS), "large", count)
        }),
        Costly::new("a POST of a large group, and its DELETE", |users, number| {
            put("POST", "/Groups", &format!("new{number}"), users)
        })
        .then(|answer| {
            let location = answer.headers().get(header::LOCATION)?.to_str().ok()?;
            let id = location.rsplit('/').next()?;
            Request::delete(format!("/acme/Groups/{id}")).body(Bytes::new()).ok()
        }),
        Costly::new("a PATCH that replaces the members", |users, number| {
            let count = if number % 2 == 0 { users } else { users / 2 };
            let members = members(count.min(100_000));
            let replace = r#"{"op": "replace", "path": "members", "value": "#;
            let body = format!(r#"{{"Operations": [{replace}{members}}}]}}"#);
            text("PATCH", &format!("/Groups/g{}", number / 2 % GROUPS), body)
        }),
        Costly::new("a PATCH of members by filter", |_, _| {
            let remove =
                |n| json!({"op": "remove", "path": format!("members[display co \"nosuch{n}\"]")});
            patch(&format!("/Groups/{ALL}"), (0..5).map(remove))
        }),
        Costly::new("a PATCH of a long list", |_, number| {
            let kind = if number % 2 == 0 { "other" } else { "home" };
            let replace = |n| {
                let path = format!("emails[value eq \"{n}@example.com\"].type");
                json!({"op": "replace", "path": path, "value": kind})
            };
            patch(&format!("/Users/long{}", number / 2 % GROUPS), (0..30).map(replace))
        }),
        Costly::new("a body of 16 MiB", |users, number| {
            // In a small directory a smaller one.
            let bytes = (users << 10).clamp(1 << 20, 16 << 20);
            let many = r#""0123456789abc","#.repeat(bytes / 16 * 4 / 5);
            let text = "x".repeat(bytes / 8);
            let head = format!(r#"{{"userName": "large{number}", "nosuch": ["#);
            let body = format!(r#"{head}{many}0], "also": "{text}"}}"#);
            Request::post("/acme/Users").body(body.into()).unwrap_or_default()
        }),
        Costly::new("a user of many values", |users, number| {
            let display = "x".repeat(100);
            let email = |n| json!({"value": format!("{n}@example.com"), "display": display});
            let emails: Vec<_> = (0..long(users)).map(email).collect();
            send("POST", "/Users", &json!({"userName": format!("many{number}"), "emails": emails}))
        }),
    ]
}

/// Each operation is a batch of its own. At the published limits, or as many as there are users.
fn bulks() -> Vec<Costly> {
    vec![
        Costly::new("a bulk request that changes users", |users, number| {
            bulk((0..users.min(1_000)).map(|n| {
                let path = format!("/Users/{}", user(n));
                let value = format!("Engineer {number} {n}");
                operation(&path, json!({"op": "replace", "path": "title", "value": value}))
            }))
        }),
        Costly::new("a bulk request that makes users", |users, number| {
            bulk((0..users.min(1_000)).map(|n| {
                let title = "x".repeat(850);
                let data = json!({"userName": format!("bulk{number}-{n}"), "title": title});
                json!({"method": "POST", "path": "/Users", "bulkId": format!("b{n}"), "data": data})
            }))
        }),
        Costly::new("a bulk request over a long list", |users, number| {
            bulk((0..users.min(1_000)).map(|n| {
                let path = format!("/Users/long{}", number % GROUPS);
                operation(&path, json!({"op": "replace", "path": "title", "value": format!("{n}")}))
            }))
        })
        .beyond_its_budget(),
        Costly::new("a bulk request over the group of all", |users, number| {
            // 222 KiB.
            bulk((0..users.min(1_000)).map(|n| {
                let filter =
                    format!("members[display co \"nosuch{n}-{number}-{}\"]", "x".repeat(70));
                operation(&format!("/Groups/{ALL}"), json!({"op": "remove", "path": filter}))
            }))
        })
        .beyond_its_budget(),
    ]
}

fn get(target: &str) -> Request<Bytes> {
    Request::get(format!("/acme{target}")).body(Bytes::new()).unwrap_or_default()
}

fn send(method: &str, target: &str, body: &Value) -> Request<Bytes> {
    text(method, target, body.to_string())
}

fn text(method: &str, target: &str, body: String) -> Request<Bytes> {
    let request = Request::builder().method(method).uri(format!("/acme{target}"));
    request.body(body.into()).unwrap_or_default()
}

/// A write of a whole group with so many members, within the limit of one request.
fn put(method: &str, target: &str, name: &str, count: usize) -> Request<Bytes> {
    let members = members(count.min(100_000));
    text(method, target, format!(r#"{{"displayName":"{name}","members":{members}}}"#))
}

/// A filter of so many terms, none of which is true.
fn any(terms: usize, term: impl Fn(usize) -> String) -> String {
    (0..terms).map(term).collect::<Vec<_>>().join(" or ")
}

fn search(endpoint: &str, filter: &str) -> Request<Bytes> {
    let target = format!("/{endpoint}/.search").replace("//", "/");
    send("POST", &target, &json!({"filter": filter, "count": 10}))
}

fn patch(target: &str, operations: impl IntoIterator<Item = Value>) -> Request<Bytes> {
    let operations: Vec<_> = operations.into_iter().collect();
    send("PATCH", target, &json!({"Operations": operations}))
}

fn title(target: &str, number: usize) -> Request<Bytes> {
    patch(target, [json!({"op": "replace", "path": "title", "value": format!("{number}")})])
}

fn operation(path: &str, operation: Value) -> Value {
    json!({"method": "PATCH", "path": path, "data": {"Operations": [operation]}})
}

fn bulk(operations: impl Iterator<Item = Value>) -> Request<Bytes> {
    send("POST", "/Bulk", &json!({"Operations": operations.collect::<Vec<_>>()}))
}

fn follow_cursor(answer: &Response<Bytes>) -> Option<Request<Bytes>> {
    let body = body_of(answer);
    let cursor = body.get("nextCursor")?.as_str()?;
    Some(get(&format!("/Users?count=1000&cursor={cursor}")))
}

fn sorted(request: Request<Bytes>) -> Request<Bytes> {
    let target = format!("{}&sortBy=title", request.uri());
    Request::get(target).body(Bytes::new()).unwrap_or_default()
}

/// The wait for what comes after a list, or after an answer of the feed.
fn follow_changes(answer: &Response<Bytes>) -> Option<Request<Bytes>> {
    let body = body_of(answer);
    let text_of = |name: &str| body.get(name).and_then(Value::as_str);
    let after = match (text_of("epoch"), body.get("position").and_then(Value::as_u64)) {
        (Some(epoch), Some(position)) => format!("{epoch}.{position}"),
        // The tag of a list, and of nothing else, says where the log stands.
        _ if body.get("totalResults").is_some() => {
            let tag = answer.headers().get(header::ETAG)?.to_str().ok()?;
            tag.trim_start_matches("W/").trim_matches('"').to_owned()
        }
        _ => return None,
    };
    Some(get(&format!("/.changes?wait=1&after={after}")))
}
