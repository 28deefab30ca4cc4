//! Faults around a worker: a network that breaks or carries nothing, queues that go, pauses, bodies without end, a job
//! that kills.

mod support {
    pub(crate) mod management;
    pub(crate) mod stage;
    pub(crate) mod until;
    #[expect(dead_code, reason = "other tests drain")]
    pub(crate) mod work;
}

use serde_json::{Value, json};
use shared::queue::{Destination, Lane};
use shared::testing::{Forwarder, Network, Process};
use simulator::Faults;

use support::management::management;
use support::stage::{ALL_BUT_ONE, FETCH, Stage};
use support::until::until;
use support::work::Working;

const BACKFILL: Destination = Destination::Work(Lane::Backfill);

/// A worker, as a process of a temporary folder of its own.
fn process(stage: &Stage, more: &[(&'static str, &str)]) -> Process {
    let mut variables = stage.variables();
    variables.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
    Process::start("consumer", &[], &variables)
}

/// At least so many: one that was lost with its connection is asked for once more while the API still holds it.
async fn are_in_flight(stage: &Stage, count: u32) {
    until("requests wait at the API", async || stage.simulator.served().in_flight >= count).await;
}

/// Every call is one row and one report with the first folios there are; nothing lies anywhere, and nothing is dead.
async fn all_are_stored_once(stage: &Stage, ids: &[String]) {
    until("each is stored", async || stage.stored() == ids).await;
    stage.lying(FETCH, 0).await;
    stage.lying(BACKFILL, 0).await;
    assert_eq!(stage.database.value("SELECT last_value FROM reportes_folio_seq"), ids.len().to_string());
    assert_eq!(stage.database.value("SELECT count(*) FROM trabajos WHERE muerto_en IS NOT NULL"), "0");
}

/// A network before the broker, and the variable that leads through it.
async fn before_broker(stage: &Stage) -> (Forwarder, String) {
    let variables = stage.variables();
    let (_, url) = variables.iter().find(|(name, _)| *name == "AMQP_URL").expect("it is set");
    let network = Forwarder::before(url).await;
    let through = network.url().to_owned();
    (network, through)
}

#[tokio::test]
async fn a_worker_that_starts_before_its_broker_consumes_when_it_is_there() {
    let stage = Stage::with(3, Faults::default()).await;
    let ids = stage.ask_for_all(ALL_BUT_ONE).await;
    let (network, url) = before_broker(&stage).await;
    for state in [Network::Cut, Network::Stalled] {
        network.set(state);
        let tried = network.attempts();
        let working = Working::with(&stage, &[("AMQP_URL", &url)]).await;
        until("it tries to connect", async || network.attempts() > tried).await;
        network.set(Network::Up);
        until("each is stored", async || stage.stored() == ids).await;
        working.stop().await;
    }
    all_are_stored_once(&stage, &ids).await;
}

#[tokio::test]
async fn a_network_that_fails_under_a_worker_is_noticed_idle_and_in_the_middle_of_jobs() {
    for state in [Network::Cut, Network::Stalled] {
        let stage = Stage::with(5, Faults::default()).await;
        let (network, url) = before_broker(&stage).await;
        let working = Working::with(&stage, &[("AMQP_URL", &url)]).await;
        let mut ids = stage.simulator.conversation_ids();
        ids.sort();
        stage.ask(&ids[..1], ALL_BUT_ONE).await;
        until("it consumes", async || stage.stored().len() == 1).await;

        // Idle.
        let tried = network.attempts();
        network.set(state);
        until("it notices by itself", async || network.attempts() > tried).await;
        network.set(Network::Up);
        stage.ask(&ids[1..2], ALL_BUT_ONE).await;
        until("it consumes again", async || stage.stored().len() == 2).await;

        // Holding jobs that cannot be answered any more.
        stage.simulator.hold(&ids[2..]);
        stage.ask(&ids[2..], ALL_BUT_ONE).await;
        are_in_flight(&stage, 3).await;
        let tried = network.attempts();
        network.set(state);
        until("it notices by itself", async || network.attempts() > tried).await;
        stage.simulator.hold([]);
        network.set(Network::Up);
        all_are_stored_once(&stage, &ids).await;
        working.stop().await;
    }
}

#[tokio::test]
async fn a_worker_whose_queue_is_deleted_makes_it_anew_and_consumes() {
    let stage = Stage::with(4, Faults::default()).await;
    let mut ids = stage.simulator.conversation_ids();
    ids.sort();
    let working = Working::on(&stage).await;
    stage.ask(&ids[..2], ALL_BUT_ONE).await;
    until("it consumes", async || stage.stored().len() == 2).await;
    let namespace = &stage.broker.config().namespace;
    for (lane, id) in [("fetch", &ids[2]), ("backfill", &ids[3])] {
        management("DELETE", &format!("queues/%2f/{namespace}.{lane}"), &Value::Null).await;
        let queue = if lane == "fetch" { FETCH } else { BACKFILL };
        // Not before it is there again: a connection of the test would make it too.
        let path = format!("queues/%2f/{namespace}.{lane}/bindings");
        until("it has made the queue anew", async || {
            let queues = management("GET", "queues/%2f?columns=name", &Value::Null).await;
            queues.as_array().is_some_and(|queues| {
                queues.iter().any(|queue| queue["name"] == format!("{namespace}.{lane}"))
            })
        })
        .await;
        until("it is bound", async || {
            management("GET", &path, &Value::Null).await.to_string().contains("routing_key")
        })
        .await;
        stage.ask_in(queue, std::slice::from_ref(id), ALL_BUT_ONE).await;
        until("it consumes again", async || stage.stored().contains(id)).await;
    }
    working.stop().await;
    all_are_stored_once(&stage, &ids).await;
}

#[tokio::test]
async fn a_database_that_hangs_is_not_waited_for_for_ever() {
    let stage = Stage::with(4, Faults::default()).await;
    let network = Forwarder::before(&stage.database.url()).await;
    let working = Working::with(&stage, &[("DATABASE_URL", network.url())]).await;
    let ids = stage.simulator.conversation_ids();
    stage.simulator.hold(&ids);
    let ids = stage.ask_for_all(ALL_BUT_ONE).await;
    are_in_flight(&stage, 4).await;
    network.set(Network::Stalled);
    stage.simulator.hold([]);
    until("the jobs are back", async || stage.broker.depth(FETCH).await >= 4).await;
    network.set(Network::Up);
    all_are_stored_once(&stage, &ids).await;
    working.stop().await;
}

/// With nothing being written it is the shared budget that asks the database first.
#[tokio::test]
async fn a_database_that_hangs_is_noticed_by_an_idle_worker_that_asks_for_its_share() {
    let stage = Stage::with(4, Faults::default()).await;
    let network = Forwarder::before(&stage.database.url()).await;
    let limit = ("ELEVENLABS_RATE_LIMIT", "1000/s");
    let working = Working::with(&stage, &[("DATABASE_URL", network.url()), limit]).await;
    let ids = stage.simulator.conversation_ids();
    stage.ask(&ids[..1], ALL_BUT_ONE).await;
    until("it works", async || stage.stored() == ids[..1]).await;
    network.set(Network::Stalled);
    stage.ask(&ids[1..], ALL_BUT_ONE).await;
    // How many it takes depends on how far its first session has come.
    until("jobs are held", async || stage.broker.depth(FETCH).await < 3).await;
    until("the jobs are back", async || stage.broker.depth(FETCH).await >= 3).await;
    network.set(Network::Up);
    let mut ids = ids;
    ids.sort();
    all_are_stored_once(&stage, &ids).await;
    working.stop().await;
}

#[tokio::test]
async fn a_refused_key_is_waited_out_until_its_file_holds_another() {
    let stage = Stage::with(6, Faults::default()).await;
    let ids = stage.ask_for_all(ALL_BUT_ONE).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    std::fs::write(&file, "a-key-of-yesterday").unwrap();
    let mut variables = stage.variables();
    let (_, key) = variables.extract_if(.., |(name, _)| *name == "ELEVENLABS_API_KEY").next().unwrap();
    variables.push(("ELEVENLABS_API_KEY_FILE", file.to_str().unwrap().to_owned()));
    let worker = Process::start("consumer", &[], &variables);
    until("it asks with the old key again and again", async || stage.simulator.served().list >= 3).await;
    assert_eq!(stage.stored(), [""; 0]);
    std::fs::write(&file, key).unwrap();
    until("it goes on by itself", async || stage.stored() == ids).await;
    worker.signal("TERM").await;
    let finished = worker.finished().await;
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    assert!(
        finished.stderr.contains("the API refuses the key: check ELEVENLABS_API_KEY"),
        "{}",
        finished.stderr
    );
    all_are_stored_once(&stage, &ids).await;
}

/// How often the broker counts each ready job as delivered. Looking counts too, so this is done once.
async fn delivery_counts(stage: &Stage) -> Vec<u64> {
    let get = json!({ "count": 100, "ackmode": "ack_requeue_true", "encoding": "auto" });
    let path = format!("queues/%2f/{}.fetch/get", stage.broker.config().namespace);
    let messages = management("POST", &path, &get).await;
    let count = |message: &Value| message["properties"]["headers"]["x-delivery-count"].as_u64().unwrap_or(0);
    messages.as_array().expect("a list").iter().map(count).collect()
}

/// The worst of outages: whatever probes ask is answered, and whatever jobs ask is not.
#[tokio::test]
async fn pauses_one_after_the_other_use_up_no_delivery_limit() {
    let failing = Faults { outage: true, only_details: true, ..Faults::default() };
    let throttled = Faults {
        rate_limit: Some(0.000_001),
        retry_after: Some(std::time::Duration::from_secs(61)),
        only_details: true,
        ..Faults::default()
    };
    // A cool-down is waited out before each probe: no second pause comes in time to be seen. With a limit most of the jobs
    // that are held have not been asked for yet when a pause begins.
    for (faults, pauses, limit) in [(failing.clone(), 6, ""), (throttled, 1, ""), (failing, 6, "4/s")] {
        let stage = Stage::with(40, faults).await;
        let ids = stage.ask_for_all(0).await;
        let working = Working::with(&stage, &[("ELEVENLABS_RATE_LIMIT", limit)]).await;
        until("it pauses", async || {
            let served = stage.simulator.served();
            served.status_429 > 0 || served.list >= pauses
        })
        .await;
        working.stop().await;
        let counts = delivery_counts(&stage).await;
        assert!(counts.len() >= 30, "few were moved: {counts:?}");
        assert!(counts.iter().all(|&count| count <= 2), "once for the outage, once for the stop: {counts:?}");
        assert_eq!(stage.database.value("SELECT count(*) FROM trabajos WHERE muerto_en IS NOT NULL"), "0");
        stage.simulator.set_faults(Faults::default());
        let working = Working::on(&stage).await;
        until("each is stored", async || stage.stored() == ids).await;
        working.stop().await;
    }
}

/// The most memory that a process has had, in KiB.
fn peak_kib(process: &Process) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).expect("it runs");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("Linux says it");
    line.split_whitespace().nth(1).expect("a number").parse().expect("a number")
}

#[tokio::test]
async fn bodies_without_end_or_too_long_are_cut_off_and_say_so() {
    const CALLS: u32 = 16;
    let dead = "SELECT DISTINCT concat_ws(' ', clase, http_status, intentos) FROM trabajos WHERE muerto_en IS NOT NULL";
    for (endless, limit) in [(1.0, "2MiB"), (0.0, "1KiB")] {
        let stage = Stage::with(CALLS, Faults { endless, ..Faults::default() }).await;
        let ids = stage.ask_for_all(ALL_BUT_ONE).await;
        let worker = process(&stage, &[("ELEVENLABS_MAX_BODY", limit)]);
        stage.lying(Destination::Dead, CALLS).await;
        assert_eq!(stage.database.column(dead), ["too_large 200 4"]);
        // Eight of them at once; what else a worker needs is more.
        let peak = peak_kib(&worker);
        assert!(peak < 100 * 1024, "{peak} KiB for bodies of at most {limit}");
        stage.simulator.set_faults(Faults::default());
        worker.signal("TERM").await;
        assert_eq!(worker.finished().await.code, Some(0));

        let replay = Process::start("producer", &["dead", "replay"], &stage.variables()).finished().await;
        assert_eq!(replay.code, Some(0), "{}", replay.stderr);
        let working = Working::on(&stage).await;
        until("each is stored", async || stage.stored() == ids).await;
        working.stop().await;
    }
}

/// It kills as soon as it is asked for, when the others beside it have no answer yet; so each death costs them a delivery
/// too, unless it is worked alone.
#[tokio::test]
async fn a_job_that_kills_its_worker_each_time_ends_among_the_dead_and_alone() {
    let faults = Faults { latency: std::time::Duration::from_millis(100), ..Faults::default() };
    let stage = Stage::with(40, faults).await;
    let mut ids = stage.simulator.conversation_ids();
    ids.sort();
    let (poison, others) = ids.split_first().unwrap();
    stage.simulator.hold([poison]);
    stage.ask(std::slice::from_ref(poison), 1).await;
    stage.ask(others, 0).await;
    let asked = || stage.simulator.served().details_by_id.get(poison).copied().unwrap_or(0);
    while stage.broker.depth(Destination::Dead).await == 0 {
        let before = asked();
        let worker = process(&stage, &[]);
        until("it is asked for, or dead", async || {
            asked() > before || stage.broker.depth(Destination::Dead).await > 0
        })
        .await;
        worker.signal("KILL").await;
        assert_eq!(worker.finished().await.code, None);
    }
    let working = Working::on(&stage).await;
    until("the others are stored", async || stage.stored() == others).await;
    working.stop().await;
    let [letter] = stage.lying(Destination::Dead, 1).await.try_into().unwrap();
    assert_eq!((letter.was_moved_by_broker, letter.attempt), (true, 1));
    // The next pass enters it in the book.
    let pass = Process::start("producer", &["sync"], &stage.variables()).finished().await;
    assert_eq!(pass.code, Some(0), "{}", pass.stderr);
    let list = Process::start("producer", &["dead", "list"], &stage.variables()).finished().await;
    assert_eq!(list.code, Some(0), "{}", list.stderr);
    assert!(list.stdout.contains(poison) && list.stdout.contains("crashed"), "{}", list.stdout);

    // What killed is gone from it: a replay stores it.
    stage.simulator.hold([]);
    let replay = Process::start("producer", &["dead", "replay", poison], &stage.variables()).finished().await;
    assert_eq!(replay.code, Some(0), "{}", replay.stderr);
    let working = Working::on(&stage).await;
    until("it is stored", async || stage.stored() == ids).await;
    working.stop().await;
}
