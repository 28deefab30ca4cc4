//! The whole job through the real binaries, while the API fails in every way it knows: nothing is lost, nothing is there
//! twice, and what was set aside says why.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use shared::config::AmqpConfig;
use shared::queue::Topology;
use shared::testing::TestDatabase;
use simulator::{Faults, Settings};
use support::{Letter, World, calls, until};

/// A day old, a call that goes on is given up.
const YOUNG: &str = "SELECT id_eleven FROM trabajos WHERE inicio > now() - interval '24 hours'";

/// Attempts of a job whose ladder has three rungs.
const ATTEMPTS: u32 = 4;

/// Which calls the API answers in which way, however often it is asked.
struct Causes {
    missing: BTreeSet<String>,
    malformed: BTreeSet<String>,
    unfinished: BTreeSet<String>,
    young: BTreeSet<String>,
}

/// What may become of a call.
#[derive(Debug, Eq, PartialEq)]
enum Outcome {
    Stored,
    Waiting,
    Dead(&'static str),
}

impl Causes {
    fn of(world: &World) -> Self {
        let set = |ids: Vec<String>| ids.into_iter().collect::<BTreeSet<_>>();
        Self {
            missing: set(world.simulator.ids_missing()),
            malformed: set(world.simulator.ids_malformed()),
            unfinished: set(world.simulator.ids_in_progress()),
            young: world.texts(YOUNG),
        }
    }

    fn outcome(&self, id: &str) -> Outcome {
        if self.missing.contains(id) {
            Outcome::Dead("not_found")
        } else if self.malformed.contains(id) {
            Outcome::Dead("malformed")
        } else if !self.unfinished.contains(id) {
            Outcome::Stored
        } else if self.young.contains(id) {
            Outcome::Waiting
        } else {
            Outcome::Dead("unfinished")
        }
    }
}

/// A failure that passes can befall any call until its ladder is used up: then, and only then, it is what it died of.
fn is_bad_luck(letter: &Letter) -> bool {
    letter.attempts == ATTEMPTS
        && match letter.class.as_str() {
            "server_error" => matches!(letter.http_status, Some(500..=504)),
            "connection" => letter.http_status.is_none(),
            _ => false,
        }
}

fn assert_says_why(letter: &Letter, class: &str) {
    let (http_status, attempts) = match class {
        "not_found" => (Some(404), 0..ATTEMPTS),
        "malformed" => (Some(200), ATTEMPTS..ATTEMPTS + 1),
        _ => (None, 0..ATTEMPTS),
    };
    assert_eq!((letter.class.as_str(), letter.http_status), (class, http_status), "{letter:?}");
    assert!(attempts.contains(&letter.attempts), "{letter:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_listed_call_is_one_row_or_one_dead_letter_that_says_why() {
    let faults = Faults {
        error_5xx: 0.05,
        dropped: 0.02,
        malformed: 0.01,
        missing: 0.01,
        in_progress: 0.02,
        // Less than one worker asks for at once, however slow the machine is.
        concurrency_limit: Some(5),
        retry_after: Some(Duration::from_secs(1)),
        latency: Duration::from_millis(40),
        ..Faults::default()
    };
    let settings = Settings { agents: 4, seed: 89, faults, ..calls(2000) };
    let mut world = World::on(TestDatabase::empty(), settings).await;
    // Long enough that a call which goes on is looked at a few times only: each look may meet a 5xx.
    let unfinished_delays = [Duration::from_secs(15), Duration::from_secs(16)];
    world.set("AMQP_UNFINISHED_DELAYS", "15s,16s");

    world.migrate().await;
    let summary = world.sync().await;
    assert_eq!((summary.listed, summary.published, summary.failed), (2000, 2000, 0));
    let throttled = async {
        until("the workers are throttled", async || world.simulator.served().status_429 > 10).await;
        world
            .simulator
            .update_faults(|faults| (faults.concurrency_limit, faults.latency) = (None, Duration::ZERO));
    };
    tokio::join!(world.drain(3), throttled);

    let causes = Causes::of(&world);
    let served = world.simulator.served();
    assert!(served.status_5xx > 0 && served.dropped > 0, "{} requests", served.requests());
    let (stored, dead) = (world.stored(), world.letters().await);
    let (mut waiting, mut classes) = (0, BTreeSet::new());
    for id in world.listed() {
        let outcome = causes.outcome(&id);
        match (stored.contains(&id), dead.get(&id)) {
            (true, None) => assert_eq!(outcome, Outcome::Stored, "{id}"),
            (false, None) => {
                assert_eq!(outcome, Outcome::Waiting, "{id}");
                waiting += 1;
            }
            (false, Some(letter)) if is_bad_luck(letter) => {}
            (false, Some(letter)) => match outcome {
                Outcome::Dead(class) => {
                    assert_says_why(letter, class);
                    classes.insert(class);
                }
                outcome => panic!("{id} is to be {outcome:?}: {letter:?}"),
            },
            (true, Some(letter)) => panic!("{id} is stored and dead: {letter:?}"),
        }
    }
    assert!(
        waiting > 0 && classes == BTreeSet::from(["malformed", "not_found", "unfinished"]),
        "{classes:?}"
    );
    assert_eq!(world.booked(), world.listed());
    assert_eq!(world.count("conversaciones"), stored.len());
    world.assert_one_report_each();
    assert_queue_holds(&world, &dead);
    // Those that wait lie in a lane once their time is over, since nobody takes them.
    until("every unfinished call is back in its lane", async || {
        world.depth(&["unfinished.15s", "unfinished.16s"]).await == 0
            && world.depth(&["fetch", "backfill"]).await == waiting
    })
    .await;

    // The causes are repaired, but for the calls that are gone.
    world.simulator.set_faults(Faults { missing: 0.01, ..Faults::default() });
    world.dead(&["replay"]).await;
    world.drain(3).await;
    let expected: BTreeSet<_> = world.listed().difference(&causes.missing).cloned().collect();
    assert_eq!(world.stored(), expected);
    assert_eq!(world.count("conversaciones"), expected.len());
    world.assert_one_report_each();
    let dead = world.letters().await;
    assert_eq!(dead.keys().cloned().collect::<BTreeSet<_>>(), causes.missing);
    for letter in dead.values() {
        assert_says_why(letter, "not_found");
        assert_eq!(letter.replays, 1);
    }
    assert_queue_holds(&world, &dead);
    let others = [
        "fetch",
        "backfill",
        "retry.100ms",
        "retry.200ms",
        "retry.300ms",
        "unfinished.15s",
        "unfinished.16s",
    ];
    assert_eq!(world.depth(&others).await, 0);

    // The queues that are not the namespace's own by its usual configuration.
    let config = AmqpConfig { unfinished_delays, ..world.broker.config().clone() };
    let broker = world.broker.connect().await;
    Topology::new(&config).delete(&broker).await.expect("the queues can go");
}

/// `089.dead` holds one message for each, with the class that the book says.
fn assert_queue_holds(world: &World, dead: &BTreeMap<String, Letter>) {
    let messages = world.management().messages("dead", dead.len() + 100);
    let classes: Vec<(&str, &str)> = messages
        .iter()
        .map(|message| {
            let properties = &message["properties"];
            let text = |value: &'static str| properties.pointer(value).and_then(|value| value.as_str());
            (text("/message_id").unwrap_or_default(), text("/headers/x-089-error-class").unwrap_or_default())
        })
        .collect();
    assert_eq!(classes.len(), dead.len());
    let classes: BTreeMap<_, _> = classes.into_iter().collect();
    let booked: BTreeMap<_, _> =
        dead.values().map(|letter| (letter.conversation_id.as_str(), letter.class.as_str())).collect();
    assert_eq!(classes, booked);
}
