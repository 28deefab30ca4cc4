//! Messages in our queues that are none of ours: whatever they are, they are set aside, and the jobs beside them are done.

mod support {
    pub(crate) mod management;
    #[expect(dead_code, reason = "other tests ask for all calls")]
    pub(crate) mod stage;
    pub(crate) mod until;
}

use serde_json::json;
use shared::queue::{Destination, Lane};
use shared::testing::stranger::{Properties, long, publish, short};
use shared::testing::{Finished, Process};
use simulator::Faults;

use support::management::management;
use support::stage::{FETCH, Stage};

/// A text that must not be repeated anywhere.
const TEXT: &str = "su numero es 55 1234 5678";

async fn put(stage: &Stage, lane: Lane, messages: &[(Properties, Vec<u8>)]) {
    let url = shared::testing::amqp_url();
    stage.broker.connect().await.close().await;
    publish(&url, &format!("{}.{lane}", stage.broker.config().namespace), messages).await;
}

async fn drain(stage: &Stage) -> Finished {
    let mut variables = stage.variables();
    variables.push(("RUST_LOG", "debug".to_owned()));
    Process::start("consumer", &["--drain", "--wait", "60s"], &variables).finished().await
}

fn body_of(conversation_id: &str) -> Vec<u8> {
    format!(r#"{{"v":1,"conversation_id":"{conversation_id}"}}"#).into_bytes()
}

fn headers(bytes: usize) -> Properties {
    let value = TEXT.bytes().cycle().take(bytes).collect::<Vec<u8>>();
    Properties::none().headers(&[(b"origin", b'S', long(&value))])
}

/// Headers of every type there is, those that we read ourselves among them.
fn headers_of_every_type() -> Properties {
    let nested = [short(b"a"), vec![b'F'], long(&[short(b"b"), vec![b'V']].concat())].concat();
    let many = [&b"I\xff\xff\xff\xff"[..], b"t\x01", b"V"].concat();
    Properties::none()
        .content_type(b"text/plain; charset=latin1")
        .headers(&[
            (b"x-089-attempt", b'F', long(&nested)),
            (b"x-089-replays", b'S', long(b"many")),
            (b"x-089-error-class", b'S', long(TEXT.as_bytes())),
            (b"x-089-http-status", b'd', 1e300_f64.to_be_bytes().to_vec()),
            (b"x-089-first-failed-at", b'T', u64::MAX.to_be_bytes().to_vec()),
            (b"x-delivery-count", b'l', i64::MIN.to_be_bytes().to_vec()),
            (b"array", b'A', long(&many)),
            (b"boolean", b't', vec![7]),
            (b"byte", b'b', vec![0xff]),
            (b"short", b's', vec![0xff, 0xff]),
            (b"int", b'I', vec![0xff; 4]),
            (b"float", b'f', vec![0x7f, 0, 0, 0]),
            (b"decimal", b'D', vec![0xff; 5]),
            (b"bytes", b'x', long(&[0xff, 0x00])),
            (b"void", b'V', Vec::new()),
            (b"", b'S', long(b"")),
        ])
        .priority(255)
        .message_id(&[b'm'; 255])
}

#[tokio::test]
async fn what_can_be_read_is_worked_or_set_aside_at_once() {
    let stage = Stage::with(4, Faults::default()).await;
    let ids = stage.simulator.conversation_ids();
    let strange = [
        (headers(60_000), TEXT.as_bytes().to_vec()),
        (headers(128_000), vec![0xff; 10]),
        (headers_of_every_type(), TEXT.as_bytes().to_vec()),
        (Properties::none(), Vec::new()),
        (Properties::none(), TEXT.bytes().cycle().take(5_000_000).collect()),
        (Properties::none(), br#"{"v":2,"conversation_id":"conv_of_a_later_release"}"#.to_vec()),
        (Properties::none(), [b"[".repeat(100_000)].concat()),
    ];
    let jobs = [(headers(60_000), body_of(&ids[0])), (headers_of_every_type(), body_of(&ids[1]))];
    put(&stage, Lane::Fetch, &[&strange[..3], &jobs, &strange[3..]].concat()).await;
    put(&stage, Lane::Backfill, &strange[..1]).await;
    stage.ask(&ids[2..], 0).await;

    let drained = drain(&stage).await;
    assert_eq!(drained.code, Some(0), "{}", drained.stderr);
    let mut all = ids.clone();
    all.sort();
    assert_eq!(stage.stored(), all);
    // One of the fetch lane and one of the other say the same, and are one in the book.
    let letters = stage.lying(Destination::Dead, 8).await;
    assert!(letters.iter().all(|letter| !letter.was_moved_by_broker), "none took its worker along");
    let classes = stage.database.column("SELECT DISTINCT clase FROM trabajos WHERE muerto_en IS NOT NULL");
    assert_eq!(classes, ["broken_message"]);
    assert!(!drained.stderr.contains(TEXT) && !drained.stderr.contains("5678"), "{}", drained.stderr);
    assert!(!drained.stderr.contains("was lost"), "{}", drained.stderr);
    assert_eq!(stage.database.value("SELECT last_value FROM reportes_folio_seq"), "4");
}

/// AMQP's library gives up its connection over them.
#[tokio::test]
async fn what_cannot_be_read_is_set_aside_by_the_broker_and_costs_the_others_nothing() {
    let stage = Stage::with(30, Faults::default()).await;
    let ids = stage.simulator.conversation_ids();
    let latin = Properties::none().content_type(b"texto/espa\xf1ol");
    let name = Properties::none().headers(&[(b"se\xf1al", b'S', long(TEXT.as_bytes()))]);
    let unreadable = [(latin, TEXT.as_bytes().to_vec()), (name, Vec::new())];
    stage.ask(&ids[..10], 0).await;
    put(&stage, Lane::Fetch, &unreadable[..1]).await;
    // What no client of AMQP may send comes in on the management page.
    let large = json!({
        "properties": { "headers": { "origin": TEXT.repeat(10_000) } }, "payload": TEXT, "payload_encoding": "string",
        "routing_key": format!("{}.fetch", stage.broker.config().namespace),
    });
    management("POST", "exchanges/%2f/amq.default/publish", &large).await;
    stage.ask(&ids[10..20], 0).await;
    stage.ask_in(Destination::Work(Lane::Backfill), &ids[20..25], 0).await;
    put(&stage, Lane::Backfill, &unreadable[1..]).await;
    stage.ask_in(Destination::Work(Lane::Backfill), &ids[25..], 0).await;

    let drained = drain(&stage).await;
    assert_eq!(drained.code, Some(0), "{}", drained.stderr);
    let mut all = ids.clone();
    all.sort();
    assert_eq!(stage.stored(), all);
    assert_eq!(stage.broker.depth(Destination::Dead).await, 3);
    assert_eq!(stage.broker.depth(FETCH).await, 0);
    assert_eq!(stage.database.value("SELECT count(*) FROM trabajos WHERE muerto_en IS NOT NULL"), "0");
    let said = drained.stderr.lines().filter(|line| line.contains("WARN") && line.contains("cannot be read"));
    assert!((1..=3).contains(&said.count()), "{}", drained.stderr);
    assert!(!drained.stderr.contains("5678"), "{}", drained.stderr);
}
