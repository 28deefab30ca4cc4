//! An API of what a test says, byte for byte: the simulator serves no oddity that somebody has not thought of.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What is served, by path; without a key, with 404.
pub(crate) type Served = BTreeMap<String, Answer>;

/// A status, and a body of JSON or almost.
#[derive(Clone, Debug)]
pub(crate) struct Answer(pub(crate) u16, pub(crate) Vec<u8>);

/// The API; it ends with the test.
pub(crate) struct Stub {
    served: Arc<Mutex<Served>>,
    pub(crate) base_url: String,
}

impl Stub {
    /// Serves these to who has the key.
    pub(crate) async fn serving(key: &str, served: Served) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let base_url = format!("http://{}", listener.local_addr().expect("an address"));
        let served = Arc::new(Mutex::new(served));
        let (shared, key) = (Arc::clone(&served), key.to_owned());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, key.clone(), Arc::clone(&shared)));
            }
        });
        Self { served, base_url }
    }

    /// Serves these instead.
    pub(crate) fn serve(&self, served: Served) {
        *self.served.lock().expect("no panic before") = served;
    }
}

async fn answer(mut stream: TcpStream, key: String, served: Arc<Mutex<Served>>) {
    let mut request = Vec::new();
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        let mut piece = [0; 4096];
        match stream.read(&mut piece).await {
            Ok(count @ 1..) => request.extend_from_slice(&piece[..count]),
            _ => return,
        }
    }
    let request = String::from_utf8_lossy(&request).into_owned();
    let target = request.split(' ').nth(1).unwrap_or_default();
    let path = target.split('?').next().unwrap_or_default();
    let has_key = request.lines().any(|line| {
        line.split_once(": ")
            .is_some_and(|(name, value)| name.eq_ignore_ascii_case("xi-api-key") && value == key)
    });
    let refused = Answer(401, br#"{"detail":{"status":"invalid_api_key"}}"#.to_vec());
    let missing = || Answer(404, br#"{"detail":{"status":"conversation_history_not_found"}}"#.to_vec());
    let found = served.lock().expect("no panic before").get(path).cloned();
    let answer = if has_key { found.unwrap_or_else(missing) } else { refused };
    let Answer(status, body) = answer;
    let head = format!(
        "HTTP/1.1 {status} x\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    let bytes = [head.into_bytes(), body].concat();
    // Who asked may have gone.
    stream.write_all(&bytes).await.ok();
}
