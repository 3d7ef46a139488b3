//! A request that is under way when the rights of its token end, over HTTP and on each store.

use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::Arc,
    thread,
    time::Duration,
};

use chrono::{TimeDelta, Utc};
use cw_iam_model::{NewAccount, NewToken, Scope, Switch, Switches};
use scim_testkit::interceptor::Interceptor;
use serde_json::json;

use crate::{
    queue::Queue,
    site::{NONE, Site, each_store, on_each_store},
};

/// After that long the head of a request has been read, and its token was good.
const UNDER_WAY: Duration = Duration::from_millis(150);

/// How the rights of a token end.
#[derive(Debug, Clone, Copy)]
enum End {
    Revoked,
    Expired,
    ApiOff,
    ProvisioningOff,
    ReadingOff,
}

impl End {
    fn happens(self, site: &Site, token: &Token) {
        let mut switches = Switches::ALL_ON;
        match self {
            Self::Revoked => {
                return site.block_on(site.iam.revoke_token(&site.id, &token.id, "test")).unwrap();
            }
            Self::Expired => return thread::sleep(token.left()),
            Self::ApiOff => switches.scim_api = Switch::Off,
            Self::ProvisioningOff => switches.aup = Switch::Off,
            Self::ReadingOff => switches.sup = Switch::Off,
        }
        site.switch(switches);
    }

    fn status(self) -> u16 {
        match self {
            Self::Revoked | Self::Expired => 401,
            Self::ApiOff | Self::ProvisioningOff | Self::ReadingOff => 403,
        }
    }
}

/// A token of its own for each request.
struct Token {
    id: cw_iam_model::TokenId,
    secret: String,
    expires: chrono::DateTime<Utc>,
}

impl Token {
    fn issue(site: &Site, scope: Scope, end: End) -> Self {
        let life = match end {
            End::Expired => TimeDelta::milliseconds(700),
            _ => TimeDelta::days(1),
        };
        let mut new = NewToken::new("test", scope);
        let expires = Utc::now() + life;
        new.expires = Some(expires);
        let (id, secret) = site.block_on(site.iam.issue_token(&site.id, new, "test")).unwrap();
        Self { id, secret: secret.reveal().to_owned(), expires }
    }

    /// How long it opens anything.
    fn left(&self) -> Duration {
        (self.expires - Utc::now()).to_std().unwrap_or_default() + Duration::from_millis(20)
    }
}

/// A request of which the head and one byte of the body are sent.
fn begin(site: &Site, token: &Token, (method, path, body): (&str, &str, &str)) -> TcpStream {
    let (address, base) = site.address();
    let mut stream = TcpStream::connect(address).unwrap();
    let (secret, length) = (&token.secret, body.len());
    let first = body.get(..1).unwrap_or_default();
    write!(
        stream,
        "{method} {base}{path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {secret}\r\n\
         Content-Type: application/scim+json\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{first}"
    )
    .unwrap();
    stream
}

fn status(mut stream: TcpStream) -> (u16, String) {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    (answer.split(' ').nth(1).unwrap().parse().unwrap(), answer)
}

// sec:A-05
#[test]
fn what_a_token_began_before_its_end_is_not_done_after_it() {
    on_each_store(|site| {
        let ada = format!("/Users/{}", site.user("ada@example.com"));
        let staff = format!("/Groups/{}", site.group("staff", &[]));
        let title = json!({"op": "add", "path": "title", "value": "x"});
        let patch = json!({"Operations": [title]});
        let member = json!([{"value": ada.trim_start_matches("/Users/")}]);
        let add = json!({"Operations": [{"op": "add", "path": "members", "value": member}]});
        let bulk = json!({"Operations": [
            {"method": "POST", "path": "/Users", "bulkId": "a", "data": {"userName": "b@x"}},
            {"method": "PATCH", "path": ada, "data": patch},
        ]});
        let requests = [
            ("POST", "/Users", json!({"userName": "bob@example.com"})),
            ("POST", "/Groups", json!({"displayName": "others"})),
            ("PUT", ada.as_str(), json!({"userName": "ada@example.com", "title": "x"})),
            ("PATCH", ada.as_str(), patch),
            ("PATCH", staff.as_str(), add),
            ("POST", "/Bulk", bulk),
            ("POST", "/Users/.search", json!({"filter": "userName pr"})),
        ];
        let stored =
            || [site.ask("GET", "/Users", NONE).body, site.ask("GET", "/Groups", NONE).body];
        let before = stored();
        for end in [End::Revoked, End::Expired, End::ApiOff, End::ProvisioningOff] {
            let under_way: Vec<_> = requests
                .iter()
                .map(|(method, path, body)| {
                    let body = body.to_string();
                    let token = Token::issue(site, Scope::AupWrite, end);
                    let stream = begin(site, &token, (method, path, &body));
                    (stream, token, body)
                })
                .collect();
            thread::sleep(UNDER_WAY);
            for (mut stream, token, body) in under_way {
                end.happens(site, &token);
                stream.write_all(&body.as_bytes()[1..]).unwrap();
                let (status, answer) = status(stream);
                assert_eq!(status, end.status(), "{end:?}: {body}: {answer}");
            }
            site.switch(Switches::ALL_ON);
            assert_eq!(stored(), before, "{end:?}");
        }
    });
}

/// The store holds a commit against the token and the switches in its transaction, not before it.
// sec:A-05
#[test]
fn a_commit_that_waits_in_the_store_does_not_outlive_its_rights() {
    each_store(|store| {
        let queue = Arc::new(Queue::new());
        let site = &Site::over(Arc::new(queue.clone().intercept(store)));
        let ada = format!("/Users/{}", site.user("ada@example.com"));
        let patch = json!({"Operations": [{"op": "add", "path": "title", "value": "x"}]});
        let bulk = json!({"Operations": [
            {"method": "POST", "path": "/Users", "bulkId": "a", "data": {"userName": "b@x"}},
            {"method": "PATCH", "path": ada, "data": patch},
        ]});
        let requests = [
            ("POST", "/Users", json!({"userName": "bob@example.com"})),
            ("PUT", ada.as_str(), json!({"userName": "ada@example.com", "title": "x"})),
            ("PATCH", ada.as_str(), patch),
            ("DELETE", ada.as_str(), json!({})),
            ("POST", "/Bulk", bulk),
        ];
        let before = site.ask("GET", "/Users", NONE).body;
        for end in [End::Revoked, End::ApiOff, End::ProvisioningOff] {
            queue.close();
            let under_way: Vec<_> = requests
                .iter()
                .map(|(method, path, body)| {
                    let body = body.to_string();
                    let token = Token::issue(site, Scope::AupWrite, end);
                    let mut stream = begin(site, &token, (method, path, &body));
                    stream.write_all(&body.as_bytes()[1..]).unwrap();
                    (stream, token, body)
                })
                .collect();
            site.block_on(queue.holds(requests.len()));
            under_way.iter().for_each(|(_, token, _)| end.happens(site, token));
            queue.open();
            for (stream, _, body) in under_way {
                let (status, answer) = status(stream);
                // Of a bulk request each operation is refused, in its answer and in its response.
                let refused = format!("\"status\":\"{}\"", end.status());
                let is_bulk = status == 200 && answer.matches(&refused).count() == 4;
                assert!(is_bulk || status == end.status(), "{end:?}: {body}: {answer}");
            }
            site.switch(Switches::ALL_ON);
            assert_eq!(site.ask("GET", "/Users", NONE).body, before, "{end:?}");
        }
        // What changes beside the rights does not stand in the way.
        queue.close();
        let token = Token::issue(site, Scope::AupWrite, End::Revoked);
        let body = json!({"userName": "bob@example.com"}).to_string();
        let mut stream = begin(site, &token, ("POST", "/Users", &body));
        stream.write_all(&body.as_bytes()[1..]).unwrap();
        site.block_on(queue.holds(1));
        site.switch(Switches { sup: Switch::Off, ..Switches::ALL_ON });
        queue.open();
        assert_eq!(status(stream).0, 201);
    });
}

// sec:A-05
#[test]
fn who_waits_for_changes_learns_nothing_after_the_end_of_the_token() {
    on_each_store(|site| {
        for end in [End::Revoked, End::Expired, End::ApiOff, End::ReadingOff] {
            let token = Token::issue(site, Scope::SupRead, end);
            let (listed, list) = status(begin(site, &token, ("GET", "/Users?count=0", "")));
            assert_eq!(listed, 200, "{list}");
            let tag = list.lines().find_map(|line| line.strip_prefix("etag: W/\"")).unwrap();
            let moment = tag.trim().trim_end_matches('"');
            let path = format!("/.changes?after={moment}&wait=60");
            let waiting = begin(site, &token, ("GET", &path, ""));
            thread::sleep(UNDER_WAY);
            end.happens(site, &token);
            // A change ends the wait, also while the API is off.
            let user_name = format!("{end:?}@example.com");
            let new = NewAccount { user_name, ..NewAccount::default() };
            site.block_on(site.iam.create_account_by_hand(&site.id, new, "test")).unwrap();
            let (status, answer) = status(waiting);
            assert_eq!(status, end.status(), "{end:?}: {answer}");
            site.switch(Switches::ALL_ON);
        }
    });
}
