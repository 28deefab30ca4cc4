use std::io::Write;
use std::net::SocketAddr;

use flate2::Compression;
use flate2::write::GzEncoder;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::*;

/// `{"conversations":[],"has_more":false}`, compressed.
const GZIP_PAGE: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\x56\x4a\xce\xcf\x2b\x4b\x2d\x2a\x4e\x2c\xc9\xcc\xcf\x2b\x56\xb2\x8a\x8e\xd5\x51\xca\x48\x2c\x8e\xcf\xcd\x2f\x4a\x55\xb2\x4a\x4b\xcc\x29\x4e\xad\x05\x00\x76\x68\x32\xce\x25\x00\x00\x00";

/// 4,000 blanks, compressed.
const GZIP_BLANKS: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xed\xc1\x31\x01\x00\x00\x00\xc2\xa0\x2a\xeb\x9f\xd2\x18\x3e\x40\x01\x00\x00\x00\x6f\x03\x7c\x95\xcd\xba\xa0\x0f\x00\x00";

const EMPTY_PAGE: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-length: 37\r\ndate: Sun, 22 Nov 2026 12:00:00 GMT\r\n\r\n\
    {\"conversations\":[],\"has_more\":false}";

/// What a server does once it has read a request.
enum Reply {
    /// Writes these bytes and closes.
    Bytes(Vec<u8>),
    /// Writes a chunked 200 for as long as anybody listens.
    Endless,
    /// Writes nothing and waits for the other side to go away.
    Silence,
}

/// A server of one reply, for as many connections as come; the requests' heads arrive on the channel.
async fn server(reply: Reply) -> (SocketAddr, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let (heads, received) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let head = read_head(&mut stream).await;
            if heads.send(head).is_err() {
                break;
            }
            answer(&mut stream, &reply).await;
        }
    });
    (address, received)
}

async fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(head).expect("a head")
}

async fn answer(stream: &mut TcpStream, reply: &Reply) {
    match reply {
        Reply::Bytes(bytes) => stream.write_all(bytes).await.expect("written"),
        Reply::Endless => {
            stream
                .write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
                .await
                .expect("written");
            while stream.write_all(b"8\r\n        \r\n").await.is_ok() {}
        }
        Reply::Silence => while stream.read_u8().await.is_ok() {},
    }
}

fn client(address: SocketAddr) -> Client {
    client_at(&format!("http://{address}"), ApiKey::new("sk_secret").expect("a key"))
}

fn client_at(base_url: &str, api_key: ApiKey) -> Client {
    Client::new(ClientSettings {
        base_url: base_url.parse().expect("a URL"),
        api_key,
        timeout: Duration::from_mins(5),
        concurrency: 2,
        max_body_bytes: 1000,
    })
    .expect("a client")
}

fn response(head: &str, body: &[u8]) -> Reply {
    Reply::Bytes([format!("HTTP/1.1 {head}\r\nconnection: close\r\n\r\n").as_bytes(), body].concat())
}

/// What a probe of a server with this reply fails with.
async fn failure(reply: Reply) -> ApiError {
    let (address, _heads) = server(reply).await;
    client(address).probe().await.expect_err("a failure")
}

#[tokio::test]
async fn a_request_carries_the_key_and_only_what_was_asked() {
    let (address, mut heads) = server(Reply::Bytes(EMPTY_PAGE.to_vec())).await;
    let query = ListQuery { cursor: Some("a+b &c".into()), ..ListQuery::default() };
    let client =
        client_at(&format!("http://{address}/gateway/?x=1"), ApiKey::new("sk_secret").expect("a key"));
    let page = client.list_conversations(&query).await.expect("a page");
    assert_eq!(page.served_at.map(|at| at.to_rfc3339()).as_deref(), Some("2026-11-22T12:00:00+00:00"));
    let head = heads.recv().await.expect("a request").to_lowercase();
    assert!(
        head.starts_with("get /gateway/v1/convai/conversations?page_size=100&cursor=a%2bb+%26c http"),
        "{head}"
    );
    for line in ["xi-api-key: sk_secret", "accept-encoding: gzip", "user-agent: backend-089/"] {
        assert!(head.contains(line), "{head}");
    }
    assert!(!head.contains("cookie"), "{head}");
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_the_key_does_not_travel_on() {
    let (elsewhere, mut followed) = server(Reply::Bytes(EMPTY_PAGE.to_vec())).await;
    for status in ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"] {
        let error = failure(response(&format!("{status}\r\nlocation: http://{elsewhere}/"), b"")).await;
        assert!(matches!(error, ApiError::Service { .. }), "{error:?}");
    }
    assert!(followed.try_recv().is_err());
}

#[tokio::test]
async fn a_compressed_body_is_read_and_its_length_counts_when_unpacked() {
    let head = |body: &[u8]| format!("200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}", body.len());
    let (address, _heads) = server(response(&head(GZIP_PAGE), GZIP_PAGE)).await;
    client(address).probe().await.expect("a page");
    let error = failure(response(&head(GZIP_BLANKS), GZIP_BLANKS)).await;
    assert_eq!(error, ApiError::TooLarge { limit: 1000 });
}

fn gzip(text: &str) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(text.as_bytes()).expect("memory");
    packed.finish().expect("memory")
}

#[tokio::test]
async fn a_body_of_several_gzip_members_is_all_of_them() {
    let page = "{\"conversations\":[],\"has_more\":false} ";
    // Also where all are of one length: what the last one says of itself is no word about the whole.
    for at in [19, 30] {
        let (first, second) = page.split_at(at);
        let packed = [gzip(first), gzip(second)].concat();
        let (address, _heads) = server(response("200 OK\r\ncontent-encoding: gzip", &packed)).await;
        client(address).probe().await.expect("a page");
    }
}

#[tokio::test]
async fn a_gzip_length_that_is_a_lie_is_not_believed() {
    for length in [36_u32, 38, u32::MAX] {
        let mut page = GZIP_PAGE.to_vec();
        *page.last_chunk_mut().expect("a gzip file") = length.to_le_bytes();
        let error = failure(response("200 OK\r\ncontent-encoding: gzip", &page)).await;
        assert_eq!(error.class(), "connection", "{length}: {error:?}");
    }
}

#[tokio::test]
async fn a_body_without_end_is_cut_off() {
    assert_eq!(failure(Reply::Endless).await, ApiError::TooLarge { limit: 1000 });
}

#[tokio::test]
async fn a_body_that_breaks_off_is_a_lost_connection() {
    for (head, body) in [
        ("200 OK\r\ncontent-length: 37", &b"{\"conversations\":["[..]),
        ("200 OK\r\ntransfer-encoding: chunked", &b"5\r\n{\"con\r\n"[..]),
        ("200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 57", &GZIP_PAGE[..30]),
    ] {
        let error = failure(response(head, body)).await;
        assert!(matches!(error, ApiError::Connection { phase: Phase::Body, .. }), "{head}: {error:?}");
    }
}

#[tokio::test]
async fn no_answer_in_time_is_a_timeout() {
    let (address, _heads) = server(Reply::Silence).await;
    let mut settings = ClientSettings {
        base_url: format!("http://{address}").parse().expect("a URL"),
        api_key: ApiKey::new("k").expect("a key"),
        timeout: Duration::from_millis(100),
        concurrency: 1,
        max_body_bytes: 1000,
    };
    let error = Client::new(settings.clone()).expect("a client").probe().await.expect_err("a failure");
    assert_eq!(error, ApiError::Timeout);
    settings.base_url = "ftp://localhost".parse().expect("a URL");
    assert!(matches!(Client::new(settings), Err(ClientError::BaseUrl)));
}

#[tokio::test]
async fn a_closed_port_and_a_mute_server_are_lost_connections() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let refused = client(address).probe().await.expect_err("a failure");
    assert_eq!(refused.to_string(), "connection lost while connecting: connection refused");
    let mute = failure(Reply::Bytes(Vec::new())).await;
    assert!(matches!(mute, ApiError::Connection { phase: Phase::Answer, .. }), "{mute:?}");
}

#[tokio::test]
async fn an_answer_about_another_conversation_is_malformed() {
    let (address, _heads) = server(response("200 OK", br#"{"conversation_id":"conv_2"}"#)).await;
    let asked = ConversationId::parse("conv_1").expect("an id");
    let error = client(address).conversation(&asked).await.expect_err("a failure");
    assert!(matches!(error, ApiError::Malformed { .. }), "{error:?}");
    let answered = ConversationId::parse("conv_2").expect("an id");
    assert!(client(address).conversation(&answered).await.is_ok());
}

#[tokio::test]
async fn a_refusal_is_read_without_trusting_its_length() {
    let long = [br#"{"detail":{"code":"unauthorized"}}"#, " ".repeat(200_000).as_bytes()].concat();
    let error = failure(response("401 Unauthorized\r\ntransfer-encoding: identity", &long)).await;
    assert_eq!(error.class(), "key_refused");
    let cut =
        failure(response("404 Not Found\r\ncontent-length: 99999", br#"{"detail":{"type":"not_found"}}"#))
            .await;
    assert_eq!(cut.class(), "not_found");
    let packed = gzip(r#"{"detail":{"type":"not_found"}}"#);
    let packed = failure(response("404 Not Found\r\ncontent-encoding: gzip", &packed)).await;
    assert_eq!(packed.class(), "not_found");
}

#[tokio::test]
async fn a_rotated_key_is_sent_after_it_was_read_again() {
    let path = std::env::temp_dir().join(format!("rotated-key-{}", std::process::id()));
    std::fs::write(&path, "first").expect("a file");
    let (address, mut heads) = server(Reply::Bytes(EMPTY_PAGE.to_vec())).await;
    let client = client_at(&format!("http://{address}"), ApiKey::from_file(&path).expect("a key"));
    assert!(!client.reload_key().expect("readable"));
    std::fs::write(&path, "second\n").expect("a file");
    assert!(client.clone().reload_key().expect("readable"));
    client.probe().await.expect("a page");
    assert!(heads.recv().await.expect("a request").contains("xi-api-key: second\r\n"));
    std::fs::remove_file(&path).expect("removed");
}

/// A server on whose certificate nobody who is trusted has put his name, as of a firewall that looks into TLS.
fn untrusted_server() -> SocketAddr {
    crate::install_tls_provider();
    let certificate = CertificateDer::from(&include_bytes!("untrusted.crt.der")[..]);
    let key = PrivatePkcs8KeyDer::from(&include_bytes!("untrusted.key.der")[..]);
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key.into())
        .expect("a key and its certificate");
    let config = Arc::new(config);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut connection = rustls::ServerConnection::new(Arc::clone(&config)).expect("a connection");
            // The other side ends it.
            while connection.complete_io(&mut stream).is_ok_and(|(read, written)| read + written > 0) {}
        }
    });
    address
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_is_no_lost_connection() {
    let url = format!("https://localhost:{}", untrusted_server().port());
    let client = client_at(&url, ApiKey::new("sk_secret").expect("a key"));
    let error = client.probe().await.expect_err("nobody trusts it");
    assert!(matches!(error, ApiError::Connection { phase: Phase::Tls, .. }), "{error:?}");
    assert!(error.to_string().contains("while agreeing on TLS"), "{error}");
}

#[tokio::test]
async fn an_older_name_of_gzip_and_zeros_behind_it_are_read_too() {
    let padded = [GZIP_PAGE, &[0; 512]].concat();
    let two = [gzip("{\"conversations\":[],"), gzip("\"has_more\":false}"), vec![0; 3]].concat();
    for (encoding, body) in [("x-gzip", GZIP_PAGE), ("GZip", &padded), ("x-gzip", &two)] {
        let head = format!("200 OK\r\ncontent-encoding: {encoding}\r\ncontent-length: {}", body.len());
        let (address, _heads) = server(response(&head, body)).await;
        client(address).probe().await.unwrap_or_else(|error| panic!("{encoding}: {error}"));
    }
    let followed = [GZIP_PAGE, b"\0\0secreta"].concat();
    let head = format!("200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}", followed.len());
    assert!(matches!(failure(response(&head, &followed)).await, ApiError::Connection { .. }));
}

#[tokio::test]
async fn a_key_that_an_answer_repeats_is_none_of_its_tokens() {
    let key = "secretkeyofletters";
    let body =
        format!("{{\"detail\":{{\"status\":\"{key}\",\"code\":\"not_{key}\",\"type\":\"unauthorized\"}}}}");
    let (address, _heads) = server(response("401 Unauthorized", body.as_bytes())).await;
    let client = client_at(&format!("http://{address}"), ApiKey::new(key).expect("a key"));
    let error = client.probe().await.expect_err("a refusal");
    assert_eq!(error.to_string(), "the API key is refused: status 401 (unauthorized)");
}

#[tokio::test]
async fn of_long_bodies_one_is_held_at_a_time() {
    let long = format!("{{\"conversations\":[],\"has_more\":false}}{}", " ".repeat(3 * body::SHORT));
    let head = format!("200 OK\r\ncontent-length: {}", long.len());
    let (address, _heads) = server(response(&head, long.as_bytes())).await;
    let settings = |max_body_bytes| ClientSettings {
        base_url: format!("http://{address}").parse().expect("a URL"),
        api_key: ApiKey::new("sk_secret").expect("a key"),
        timeout: Duration::from_mins(5),
        concurrency: 8,
        max_body_bytes,
    };
    let client = Client::new(settings(long.len())).expect("a client");
    let id = ConversationId::parse("conv_1").expect("an id");
    let first = client.conversation_body(&id).await.expect("a body");
    let mut second = std::pin::pin!(client.conversation_body(&id));
    // It gets as far as its share of what is short, and then waits for the first to be read.
    assert_eq!((client.inner.long.available_permits(), first.body.len()), (0, long.len()));
    for _ in 0..100 {
        assert!(futures_util::poll!(second.as_mut()).is_pending());
        tokio::task::yield_now().await;
    }
    drop(first);
    second.await.expect("its turn");
}
