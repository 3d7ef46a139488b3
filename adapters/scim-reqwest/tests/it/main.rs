//! The transport over real sockets: whom it trusts, where it goes, and the whole client above it.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use scim_core::{
    Client, Transport,
    client::{Query, Retries},
    typed::User,
};
use scim_reqwest::{ReqwestTransport, TokioPause};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    },
};

/// An authority of the test's own.
struct Authority(rcgen::CertifiedIssuer<'static, rcgen::KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut parameters = rcgen::CertificateParams::new(vec![]).unwrap();
        parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key = rcgen::KeyPair::generate().unwrap();
        Self(rcgen::CertifiedIssuer::self_signed(parameters, key).unwrap())
    }

    fn pem(&self) -> String {
        self.0.pem()
    }

    /// Serves TLS with a certificate for `name`; answers every request with an empty object. Tells the port.
    async fn serve(&self, name: &str) -> u16 {
        let key = rcgen::KeyPair::generate().unwrap();
        let parameters = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = parameters.signed_by(&key, &self.0).unwrap();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                if let Ok(stream) = acceptor.accept(socket).await {
                    answer(stream, "200 OK", "", "{}").await;
                }
            }
        });
        port
    }
}

async fn answer(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    status: &str,
    headers: &str,
    body: &str,
) -> String {
    let mut head = vec![0; 16 << 10];
    let read = stream.read(&mut head).await.unwrap();
    let answer = format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(answer.as_bytes()).await.unwrap();
    let _ = stream.shutdown().await;
    String::from_utf8_lossy(&head[..read]).into_owned()
}

async fn read(transport: ReqwestTransport, base: &str) -> String {
    let client = Client::new(Arc::new(transport), base.parse().unwrap()).with_token("secret");
    let answer = client.read("Users", "7").await;
    answer.map_or_else(|error| error.to_string(), |user| user.resource.to_string())
}

#[tokio::test]
async fn only_the_server_that_was_named_is_spoken_to() {
    // rfc:SEC-02
    let (authority, other) = (Authority::new(), Authority::new());
    let trusting = |pem: String| ReqwestTransport::trusting(pem.as_bytes()).unwrap();
    let (right, wrong) =
        (authority.serve("localhost").await, authority.serve("other.example.com").await);
    let base = |port: u16| format!("https://localhost:{port}/scim");
    assert_eq!(read(trusting(authority.pem()), &base(right)).await, "{}");
    // A certificate for somebody else, from an authority that is trusted.
    let refused = read(trusting(authority.pem()), &base(wrong)).await;
    assert!(
        refused.contains("no connection") && refused.contains("not valid for name"),
        "{refused}"
    );
    // The right name, by an authority that nobody trusts.
    for transport in [trusting(other.pem()), ReqwestTransport::new().unwrap()] {
        let refused = read(transport, &base(right)).await;
        assert!(refused.contains("no connection"), "{refused}");
        assert!(refused.contains("UnknownIssuer") || refused.contains("certificate"), "{refused}");
    }
    let error = ReqwestTransport::trusting(b"no certificate").unwrap_err();
    assert_eq!(error.to_string(), "no answer from the service: the PEM holds no certificate");
}

#[tokio::test]
async fn plain_http_goes_to_this_machine_or_where_it_was_allowed() {
    // rfc:SEC-01
    let refused = "no answer from the service: plain HTTP goes to this machine alone: use https";
    for base in ["http://scim.invalid/v2", "http://192.0.2.1/", "http://localhost.scim.invalid/"] {
        assert_eq!(read(ReqwestTransport::new().unwrap(), base).await, refused);
    }
    let allowed = ReqwestTransport::new().unwrap().with_plain_http_anywhere();
    let error = read(allowed, "http://scim.invalid/v2").await;
    assert!(error.contains("no connection"), "{error}");
    for host in ["127.0.0.1", "127.8.8.8", "[::1]", "localhost"] {
        let error = read(ReqwestTransport::new().unwrap(), &format!("http://{host}:9/")).await;
        assert!(error.contains("no connection"), "{error}");
    }
}

#[tokio::test]
async fn what_went_wrong_names_no_person_and_no_secret() {
    let transport = ReqwestTransport::new().unwrap();
    let base = "http://127.0.0.1:9/scim".parse().unwrap();
    let client = Client::new(Arc::new(transport), base).with_token("secret");
    let query = Query::from("userName eq \"ada\"").in_url();
    let error = client.list("Users", query).all().await.unwrap_err();
    let told = format!("{error} {error:?}");
    assert!(!told.contains("ada") && !told.contains("secret"), "{told}");
}

#[tokio::test]
async fn the_client_waits_and_goes_where_it_is_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let requests = tokio::spawn(async move {
        let mut requests = vec![];
        for (status, headers, body) in [
            ("503 Service Unavailable", "Retry-After: 1\r\n", ""),
            ("307 Temporary Redirect", "Location: /other/Users/7\r\n", ""),
            ("200 OK", "ETag: W/\"5\"\r\n", r#"{"schemas": [], "id": "7", "userName": "ada"}"#),
        ] {
            let (socket, _) = listener.accept().await.unwrap();
            requests.push(answer(socket, status, headers, body).await);
        }
        requests
    });
    let transport: Arc<dyn Transport> = Arc::new(ReqwestTransport::new().unwrap());
    let client = Client::new(transport, format!("http://127.0.0.1:{port}/scim").parse().unwrap())
        .with_token("secret")
        .with_retries(Retries::new(Arc::new(TokioPause)));
    let started = std::time::Instant::now();
    let ada = client.typed::<User>().read("7").await.unwrap();
    assert!(started.elapsed() >= Duration::from_secs(1));
    assert_eq!((&*ada.user_name, ada.version.as_deref()), ("ada", Some("W/\"5\"")));
    let requests = requests.await.unwrap();
    let lines: Vec<_> = requests.iter().map(|it| it.lines().next().unwrap()).collect();
    assert_eq!(
        lines,
        ["GET /scim/Users/7 HTTP/1.1", "GET /scim/Users/7 HTTP/1.1", "GET /other/Users/7 HTTP/1.1"]
    );
    assert!(requests.iter().all(|it| it.contains("authorization: Bearer secret")));
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    static SENT: AtomicUsize = AtomicUsize::new(0);
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut head = [0; 4096];
        let _ = socket.read(&mut head).await;
        let _ = socket.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n").await;
        let blanks = vec![b' '; 1 << 20];
        while socket.write_all(&blanks).await.is_ok() {
            SENT.fetch_add(1, Ordering::Relaxed);
        }
    });
    let error = read(ReqwestTransport::new().unwrap(), &format!("http://127.0.0.1:{port}/")).await;
    assert_eq!(error, "no answer from the service: the answer is larger than 268435456 bytes");
    assert!(SENT.load(Ordering::Relaxed) < 300);
}
