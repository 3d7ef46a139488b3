#![doc = include_str!("../README.md")]

use std::{error::Error, sync::Arc};

use axum::Router;
use scim_core::{
    Caller, Client, MemoryStore, ResourceType, ResourceTypes, Service,
    filter::build::attr,
    schema::{Attribute, Schema},
    typed::{Rest, Typed, User},
};
use scim_reqwest::ReqwestTransport;
use scim_tower::{Bearer, ScimTower};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::net::TcpListener;

/// A door card, as the client sees it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Card {
    schemas: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    number: String,
    holder: Option<Holder>,
    #[serde(default)]
    doors: Vec<String>,
    #[serde(flatten)]
    rest: Rest,
}

#[derive(Debug, Serialize, Deserialize)]
struct Holder {
    value: String,
}

impl Typed for Card {
    const ENDPOINT: &'static str = "Cards";
    const SCHEMA: &'static str = "urn:example:params:scim:schemas:Card";
}

/// The same as the service knows it. Of two cards with one number, the second is refused: 409.
fn cards() -> ResourceType {
    let holder = vec![
        Attribute::string("value").case_exact().required().described("The id of the user."),
        Attribute::reference("$ref", &["User"]).described("The URI of the user."),
    ];
    let schema = Schema::new(Card::SCHEMA, "Card", "A card that opens doors.")
        .with(Attribute::string("number").required().unique().described("What is printed on it."))
        .with(Attribute::complex("holder", holder).described("Who carries it."))
        .with(Attribute::string("doors").multi_valued().described("What it opens."));
    ResourceType::new("Card", Card::ENDPOINT, schema)
}

/// Serves the three types on a free port, and tells where.
async fn serve(token: &str) -> Result<String, Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let base = format!("http://{}/scim", listener.local_addr()?);
    let mut caller = Caller::new("acme", base.parse()?);
    let types = vec![ResourceType::user(), ResourceType::group(), cards()];
    caller.types = Arc::new(ResourceTypes::new(types)?);
    let tokens = Bearer::new().token(token, caller);
    let service = Service::new(Arc::new(MemoryStore::new()));
    let scim = ScimTower::new(service, Arc::new(tokens));
    let app: Router = Router::new().nest_service("/scim", scim.with_mount("/scim".parse()?));
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(base)
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "what a command-line program says")]
async fn main() -> Result<(), Box<dyn Error>> {
    let base = serve("secret").await?;
    let transport = Arc::new(ReqwestTransport::new()?);
    let client = Client::new(transport, base.parse()?).with_token("secret");

    let ada = client.typed::<User>().create(&User::new("ada")).await?;
    let cards = client.typed::<Card>();
    let card = Card {
        schemas: vec![Card::SCHEMA.to_owned()],
        id: None,
        number: "0042".to_owned(),
        holder: ada.id.clone().map(|value| Holder { value }),
        doors: vec!["front".to_owned()],
        rest: Rest::new(),
    };
    let made = cards.create(&card).await?;
    let id = made.id.clone().unwrap_or_default();
    println!("made: card {} opens {:?}", made.number, made.doors);

    let twice = cards.create(&card).await.err().ok_or("two cards of one number")?;
    println!("twice: {twice}");

    let more = json!({"op": "add", "path": "doors", "value": ["cellar"]});
    cards.patch(&id, vec![more]).await?;
    let opens = attr("doors").eq("cellar").filter()?;
    for card in cards.list(opens).all().await? {
        println!("found: card {} opens {:?}", card.number, card.doors);
    }

    let discovered = client.discover().await?;
    println!("discovered: {:?}", discovered.endpoint("Card"));
    Ok(())
}
