//! What a cluster sees is safe: whatever clients send on any road, each value that counts is one
//! that the writer of files accepts.

use std::collections::BTreeSet;

use cw_iam_model::{COREWEAVE_USER, Deployment};
use scim_testkit::random::Random;
use serde_json::{Map, Value, json};
use sup_posix::{AuthorizedKey, Gid, HomeDir, PosixName, Shell, Uid};

use crate::door::{Acme, K1};

/// What a client draws, most of which is hostile.
struct Client(Random);

impl Client {
    /// A text of pieces, of which most have a meaning in some file.
    fn text(&mut self) -> String {
        const PIECES: [&str; 32] = [
            "a",
            "b",
            "zoe",
            "root",
            "operator",
            "admin",
            "-",
            "_",
            ".",
            "$",
            ":",
            "/",
            "\n",
            "\r",
            "\t",
            "\0",
            " ",
            ",",
            "#",
            "+",
            "!",
            "\u{202e}",
            "\u{200b}",
            "\u{85}",
            "é",
            "ﬀ",
            "Ａ",
            "0",
            "/bin/sh",
            "/home/",
            "..",
            "ssh-ed25519 ",
        ];
        (0..self.0.below(6)).map(|_| self.0.one(&PIECES)).collect()
    }

    fn name(&mut self) -> Value {
        match self.0.below(4) {
            0 => json!(self.0.one(&["zoe", "eve", "ada", "root", "x-1", "nobody", "wheel"])),
            1 => json!("x".repeat(28 + self.0.below(8))),
            _ => json!(self.text()),
        }
    }

    fn number(&mut self) -> Value {
        const EDGES: [i64; 14] = [
            0,
            -1,
            1,
            999,
            1_000,
            30_001,
            60_000,
            60_001,
            65_534,
            65_535,
            524_288,
            2_147_483_648,
            4_294_967_295,
            i64::MAX,
        ];
        match self.0.below(3) {
            0 => json!(20_000 + self.0.below(9)),
            1 => json!(self.0.below(70_000)),
            _ => json!(self.0.one(&EDGES)),
        }
    }

    fn path(&mut self) -> Value {
        match self.0.below(3) {
            0 => json!(self.0.one(&[
                "/bin/sh",
                "/bin/zsh",
                "/home/ada",
                "/",
                "//",
                "/a/../etc",
                "/./"
            ])),
            1 => json!(format!("/{}", self.text())),
            _ => json!(self.text()),
        }
    }

    fn keys(&mut self) -> Value {
        let secret = "-----BEGIN OPENSSH PRIVATE KEY-----";
        let key = |random: &mut Self| match random.0.below(6) {
            0 => K1.to_owned(),
            1 => K1.replace("ada@laptop", &random.text()),
            2 => format!("{}\n{K1}", random.text()),
            3 => format!("command=\"{}\" {K1}", random.text()),
            4 => secret.to_owned(),
            _ => random.text(),
        };
        (0..self.0.below(4)).map(|_| key(self)).collect::<Vec<_>>().into()
    }

    /// Some attributes of a user on clusters.
    fn identity(&mut self) -> Map<String, Value> {
        let mut all = Map::new();
        for _ in 0..=self.0.below(3) {
            let (name, value) = match self.0.below(6) {
                0 => ("sunkPosixUsername", self.name()),
                1 => ("sunkPosixUserId", self.number()),
                2 => ("sunkPosixGroupId", self.number()),
                3 => ("sunkPreferredHomeDirectory", self.path()),
                4 => ("sunkLoginShell", self.path()),
                _ => ("sunkSshKeys", self.keys()),
            };
            let value = if self.0.below(12) == 0 { Value::Null } else { value };
            all.insert(name.to_owned(), value);
        }
        all
    }

    fn user(&mut self) -> Value {
        let mut user = json!({"userName": self.name(), COREWEAVE_USER: self.identity()});
        if self.0.below(2) == 0 {
            user["active"] = json!(self.0.below(2) == 0);
        }
        user
    }

    /// Operations with a path or without, the account turned off or on among them.
    fn operations(&mut self) -> Value {
        let mut operations = vec![];
        for (name, value) in self.identity() {
            let op = self.0.one(&["add", "replace"]);
            let path = format!("{COREWEAVE_USER}:{name}");
            operations.push(match self.0.below(4) {
                0 => json!({"op": op, "value": {COREWEAVE_USER: {name: value}}}),
                1 => json!({"op": op, "value": {path: value}}),
                2 if value.is_null() => json!({"op": "remove", "path": path}),
                _ => json!({"op": op, "path": path, "value": value}),
            });
        }
        if self.0.below(2) == 0 {
            let active = self.0.below(2) == 0;
            operations.push(json!({"op": "replace", "path": "active", "value": active}));
        }
        if self.0.below(6) == 0 {
            let name = self.name();
            operations.push(json!({"op": "replace", "path": "userName", "value": name}));
        }
        operations.into()
    }

    fn group(&mut self, users: &[String]) -> Value {
        let members: Vec<_> = users.iter().filter(|_| self.0.below(2) == 0).collect();
        let members: Vec<_> = members.into_iter().map(|id| json!({"value": id})).collect();
        let mut group = json!({"displayName": self.name(), "members": members});
        if self.0.below(2) == 0 {
            group["sunkPosixGroupName"] = self.name();
        }
        if self.0.below(2) == 0 {
            group["sunkPosixGroupId"] = self.number();
        }
        group
    }

    /// One write on some road; what it is answered is not a matter of this law.
    fn write(&mut self, acme: &Acme, users: &mut Vec<String>, groups: &mut Vec<String>) {
        let at = |ids: &[String], at: usize| ids.get(at % ids.len().max(1)).cloned();
        let pick = self.0.below(9);
        let (method, path, body) =
            match (pick, at(users, self.0.below(9)), at(groups, self.0.below(9))) {
                (0 | 1, ..) | (_, None, _) => ("POST", "/Users".to_owned(), self.user()),
                (2, ..) | (3 | 4, _, None) => ("POST", "/Groups".to_owned(), self.group(users)),
                (3, _, Some(id)) => ("PUT", format!("/Groups/{id}"), self.group(users)),
                (4, _, Some(id)) => {
                    let path =
                        self.0.one(&["sunkPosixGroupName", "sunkPosixGroupId", "displayName"]);
                    let value =
                        if path == "sunkPosixGroupId" { self.number() } else { self.name() };
                    let operation = json!({"op": "replace", "path": path, "value": value});
                    ("PATCH", format!("/Groups/{id}"), json!({"Operations": [operation]}))
                }
                (5, Some(id), _) => ("PUT", format!("/Users/{id}"), self.user()),
                (_, Some(id), _) => {
                    ("PATCH", format!("/Users/{id}"), json!({"Operations": self.operations()}))
                }
            };
        let made = match self.0.below(4) {
            0 => {
                let operation =
                    json!({"method": method, "path": path, "bulkId": "x", "data": body});
                let answer = acme.idp("POST", "/Bulk", json!({"Operations": [operation]}));
                let told = &answer.expect(200).body["Operations"][0];
                let location = told["location"].as_str().filter(|_| told["status"] == "201");
                location.and_then(|it| it.rsplit('/').next()).map(str::to_owned)
            }
            _ => {
                let answer = acme.idp(method, &path, body);
                (answer.status == 201).then(|| answer.id())
            }
        };
        if path.starts_with("/Users") { users } else { groups }
            .extend(made.filter(|_| method == "POST"));
    }
}

/// All that is wrong with what a cluster sees.
fn unsafe_values(acme: &Acme) -> Vec<String> {
    let mut wrong = vec![];
    let mut check = |attribute: &str, value: &Value, is_safe: bool| {
        if !value.is_null() && !is_safe {
            wrong.push(format!("{attribute}: {value}"));
        }
    };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let number = |value: &Value| value.as_i64().unwrap_or_default();
    let (mut names, mut uids, mut gids) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let users = acme.sup("/Users?count=1000").expect(200).body;
    for user in users["Resources"].as_array().unwrap() {
        let identity = &user[COREWEAVE_USER];
        let [name, uid, gid, home, shell] = [
            "sunkPosixUsername",
            "sunkPosixUserId",
            "sunkPosixGroupId",
            "sunkPreferredHomeDirectory",
            "sunkLoginShell",
        ]
        .map(|name| &identity[name]);
        check("name", name, PosixName::new(&text(name)).is_ok() && names.insert(text(name)));
        check("uid", uid, Uid::new(number(uid)).is_ok() && uids.insert(number(uid)));
        check("gid", gid, Gid::new(number(gid)).is_ok());
        check("home", home, HomeDir::new(&text(home)).is_ok());
        check("shell", shell, Shell::new(&text(shell)).is_ok());
        for key in identity["sunkSshKeys"].as_array().into_iter().flatten() {
            check(
                "key",
                key,
                AuthorizedKey::parse(&text(key)).is_ok_and(|it| it.to_string() == text(key)),
            );
        }
        check("active", &user["active"], user["active"].is_boolean());
    }
    let groups = acme.sup("/Groups?count=1000").expect(200).body;
    for group in groups["Resources"].as_array().unwrap() {
        let (name, gid) = (&group["sunkPosixGroupName"], &group["sunkPosixGroupId"]);
        check("group", name, PosixName::new(&text(name)).is_ok() && names.insert(text(name)));
        let is_own = !uids.contains(&number(gid)) && gids.insert(number(gid));
        check("group's gid", gid, Gid::new(number(gid)).is_ok() && is_own);
        for member in group["members"].as_array().into_iter().flatten() {
            let name = &member["userName"];
            check(
                "member",
                name,
                PosixName::new(&text(name)).is_ok() && names.contains(&text(name)),
            );
        }
    }
    wrong
}

// sec:J-07
#[test]
fn what_a_cluster_sees_is_what_files_can_hold() {
    let soak = std::env::var("SOAK").is_ok_and(|it| it == "1");
    let (mut counting, mut named) = (0, 0);
    for seed in 0..if soak { 2_000 } else { 40 } {
        let acme = Acme::of(Deployment::Current);
        let mut random = Client(Random::new(seed));
        let (mut users, mut groups) = (vec![], vec![]);
        for write in 0..30 {
            random.write(&acme, &mut users, &mut groups);
            assert_eq!(unsafe_values(&acme), [""; 0], "seed {seed}, write {write}");
        }
        let seen = acme.sup("/Users?count=1000").body;
        let seen = seen["Resources"].as_array().unwrap();
        counting += seen.len();
        named += seen.iter().filter(|it| it[COREWEAVE_USER]["sunkLoginShell"].is_string()).count();
    }
    assert!(counting > 60 && named > 5, "{counting} {named}");
}
