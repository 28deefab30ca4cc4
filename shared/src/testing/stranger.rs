//! A publisher that is none of ours. It writes the bytes of AMQP 0-9-1 by itself, since no library says what strangers may.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use url::Url;

const METHOD: u8 = 1;
const HEADER: u8 = 2;
const BODY: u8 = 3;

/// The most that a client may send at once: the broker's own bound.
const FRAME_MAX_BYTES: u32 = 131_072;

/// Properties of a message, as they travel: two bytes of flags, then what they announce.
#[derive(Clone, Debug, Default)]
pub struct Properties {
    flags: u16,
    bytes: Vec<u8>,
}

impl Properties {
    /// None.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// A content type; comes first.
    #[must_use]
    pub fn content_type(mut self, text: &[u8]) -> Self {
        self.flags |= 1 << 15;
        self.bytes.extend(short(text));
        self
    }

    /// Headers: a name, the letter of a type, and its bytes; come after the content type.
    #[must_use]
    pub fn headers(mut self, headers: &[(&[u8], u8, Vec<u8>)]) -> Self {
        self.flags |= 1 << 13;
        let table: Vec<u8> = headers
            .iter()
            .flat_map(|(name, letter, value)| [&short(name), &[*letter][..], value].concat())
            .collect();
        self.bytes.extend(long(&table));
        self
    }

    /// A priority; comes after the headers.
    #[must_use]
    pub fn priority(mut self, priority: u8) -> Self {
        self.flags |= 1 << 11;
        self.bytes.push(priority);
        self
    }

    /// An id of the message; comes after the priority.
    #[must_use]
    pub fn message_id(mut self, text: &[u8]) -> Self {
        self.flags |= 1 << 7;
        self.bytes.extend(short(text));
        self
    }
}

/// A text of up to 255 bytes, as it travels.
///
/// # Panics
/// When it is longer.
#[must_use]
pub fn short(text: &[u8]) -> Vec<u8> {
    [&[u8::try_from(text.len()).expect("a short text")][..], text].concat()
}

/// A text or a table, as it travels.
///
/// # Panics
/// When it is longer than 4 GiB.
#[must_use]
pub fn long(text: &[u8]) -> Vec<u8> {
    [&u32::try_from(text.len()).expect("a text").to_be_bytes()[..], text].concat()
}

/// Puts messages into a queue, one after the other, and waits until the broker has each.
///
/// # Panics
/// When the broker does not take one.
pub async fn publish(url: &str, queue: &str, messages: &[(Properties, Vec<u8>)]) {
    let url = Url::parse(url).expect("an AMQP URL");
    let address = (url.host_str().expect("a host").to_owned(), url.port().unwrap_or(5672));
    let mut stream = TcpStream::connect(address).await.expect("the broker answers");
    stream.write_all(b"AMQP\0\0\x09\x01").await.expect("a connection");
    answer(&mut stream, 0, (10, 10)).await;
    let login =
        [b"\0", url.username().as_bytes(), b"\0", url.password().unwrap_or("guest").as_bytes()].concat();
    let start = [long(b""), short(b"PLAIN"), long(&login), short(b"en_US")].concat();
    send(&mut stream, METHOD, 0, &method((10, 11), &start)).await;
    answer(&mut stream, 0, (10, 30)).await;
    let tune = [&1_u16.to_be_bytes()[..], &FRAME_MAX_BYTES.to_be_bytes(), &0_u16.to_be_bytes()].concat();
    send(&mut stream, METHOD, 0, &method((10, 31), &tune)).await;
    send(&mut stream, METHOD, 0, &method((10, 40), &[short(b"/"), short(b""), vec![0]].concat())).await;
    answer(&mut stream, 0, (10, 41)).await;
    send(&mut stream, METHOD, 1, &method((20, 10), &short(b""))).await;
    answer(&mut stream, 1, (20, 11)).await;
    send(&mut stream, METHOD, 1, &method((85, 10), &[0])).await;
    answer(&mut stream, 1, (85, 11)).await;
    for (properties, body) in messages {
        // The exchange without a name knows each queue by its own; mandatory.
        let publish = [&0_u16.to_be_bytes()[..], &short(b""), &short(queue.as_bytes()), &[1]].concat();
        send(&mut stream, METHOD, 1, &method((60, 40), &publish)).await;
        let size = (body.len() as u64).to_be_bytes();
        let head = [&[0, 60, 0, 0][..], &size, &properties.flags.to_be_bytes(), &properties.bytes].concat();
        send(&mut stream, HEADER, 1, &head).await;
        for piece in body.chunks(FRAME_MAX_BYTES as usize - 8) {
            send(&mut stream, BODY, 1, piece).await;
        }
        answer(&mut stream, 1, (60, 80)).await;
    }
}

fn method((class, method): (u16, u16), arguments: &[u8]) -> Vec<u8> {
    [&class.to_be_bytes()[..], &method.to_be_bytes(), arguments].concat()
}

async fn send(stream: &mut TcpStream, kind: u8, channel: u16, payload: &[u8]) {
    let frame = [&[kind][..], &channel.to_be_bytes(), &long(payload), &[0xce]].concat();
    stream.write_all(&frame).await.expect("the broker reads");
}

/// The next frame, which must be this method.
async fn answer(stream: &mut TcpStream, channel: u16, expected: (u16, u16)) {
    let mut head = [0; 7];
    stream.read_exact(&mut head).await.expect("the broker answers");
    let size = u32::from_be_bytes([head[3], head[4], head[5], head[6]]) as usize;
    let mut payload = vec![0; size + 1];
    stream.read_exact(&mut payload).await.expect("the broker answers");
    let name = |at: usize| u16::from_be_bytes([payload[at], payload[at + 1]]);
    let said = String::from_utf8_lossy(&payload);
    assert_eq!(
        (u16::from_be_bytes([head[1], head[2]]), name(0), name(2)),
        (channel, expected.0, expected.1),
        "{said}"
    );
}
