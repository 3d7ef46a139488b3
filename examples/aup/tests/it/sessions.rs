//! The sessions of identity providers over HTTP, under the rules of the IAM: each in an organisation of its own.

use std::sync::Arc;

use aup::{Server, StoreChoice};
use cw_iam_model::{Department, DialectName, Iam, NewOrganisation, NewToken, Scope, Sso, Switches};
use scim_core::{Transport, environment::System};
use scim_reqwest::ReqwestTransport;
use scim_testkit::transcript::{self, Player, Transcript, recorded};
use tokio::sync::oneshot;

#[tokio::test(flavor = "multi_thread")]
async fn every_session_is_answered_as_its_client_expects_over_memory() {
    play_all(StoreChoice::Memory).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_session_is_answered_as_its_client_expects_over_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    play_all(StoreChoice::Sqlite(folder.path().join("aup.db"))).await;
}

async fn play_all(store: StoreChoice) {
    super::ring();
    let iam = Iam::new(store.open().unwrap(), Arc::new(System));
    let server = Server::bind(([127, 0, 0, 1], 0).into(), None).await.unwrap();
    // idp:T31 what a session does not name is not sent: Entra ID's have no User-Agent, OneLogin's an empty one
    let transport: Arc<dyn Transport> = Arc::new(ReqwestTransport::new().unwrap());
    let mut sessions = vec![];
    for transcript in recorded() {
        for dialect in [named(&transcript), DialectName::Tolerant] {
            let organisation = format!("s{}", sessions.len());
            let token = organisation_of(&iam, &organisation, dialect).await;
            let base = server.base_of(&organisation);
            let player = Player::new(transport.clone(), base).with_token(&token);
            sessions.push((transcript.clone(), player));
        }
    }
    let (stop, stopped) = oneshot::channel();
    let served = tokio::spawn(server.serve(iam, async {
        let _ = stopped.await;
    }));
    let mut failures = vec![];
    for (transcript, mut player) in sessions {
        match player.play(&transcript).await {
            Ok(played) => assert_eq!(played.requests, transcript.requests()),
            Err(failed) => failures.push(failed.to_string()),
        }
    }
    stop.send(()).unwrap();
    served.await.unwrap().unwrap();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

fn named(transcript: &Transcript) -> DialectName {
    match transcript.dialect {
        transcript::DialectName::Okta => DialectName::Okta,
        transcript::DialectName::Entra => DialectName::Entra,
        transcript::DialectName::Onelogin => DialectName::Onelogin,
        transcript::DialectName::Keycloak => DialectName::Keycloak,
        transcript::DialectName::Gateway => DialectName::Gateway,
        transcript::DialectName::Strict => DialectName::Strict,
        _ => DialectName::Tolerant,
    }
}

/// An organisation that keeps departments, for sessions check them, and a token of its identity provider.
async fn organisation_of(iam: &Iam, id: &str, dialect: DialectName) -> String {
    let mut new = NewOrganisation::new(id.parse().unwrap());
    (new.sso, new.switches) = (Sso::Declared, Switches::ALL_ON);
    (new.dialect, new.department) = (dialect, Department::Keep);
    let made = iam.create_organisation(new).await.unwrap().id;
    let token = NewToken::new("identity provider", Scope::AupWrite);
    iam.issue_token(&made, token, "test").await.unwrap().1.reveal().to_owned()
}
