//! How fast workers ask: together no faster than they may, alone about as fast as the API takes it, and at no job's cost.

mod support {
    #[expect(dead_code, reason = "other tests look into queues")]
    pub(crate) mod stage;
    pub(crate) mod until;
    #[expect(dead_code, reason = "other tests drain")]
    pub(crate) mod work;
}

use shared::testing::Process;
use simulator::Faults;

use support::stage::{ALL_BUT_ONE, Stage};
use support::until::until;
use support::work::Working;

/// An API that takes so many requests a second, and so many at once after a quiet second.
async fn limited_to(rate: f64, calls: u32) -> Stage {
    Stage::with(calls, Faults { rate_limit: Some(rate), ..Faults::default() }).await
}

async fn all_are_stored(stage: &Stage, ids: &[String]) {
    until("each is stored", async || stage.stored() == ids).await;
    assert_eq!(stage.database.value("SELECT count(*) FROM trabajos WHERE muerto_en IS NOT NULL"), "0");
}

/// Four workers that each asked as fast as they all may would be refused at once.
#[tokio::test(flavor = "multi_thread")]
async fn workers_and_producer_that_share_a_budget_are_never_refused() {
    const BUDGET: (&str, &str) = ("ELEVENLABS_RATE_LIMIT", "40/s");
    let stage = limited_to(44.0, 160).await;
    let mut variables = stage.variables();
    variables.push((BUDGET.0, BUDGET.1.to_owned()));
    let pass = Process::start("producer", &["sync"], &variables).finished().await;
    assert_eq!(pass.code, Some(0), "{}", pass.stderr);
    assert_eq!(stage.database.value("SELECT count(*) FROM cuotas"), "1", "a pass asks for its share too");
    let mut workers = Vec::new();
    for _ in 0..4 {
        workers.push(Working::with(&stage, &[BUDGET]).await);
    }
    let mut ids = stage.simulator.conversation_ids();
    ids.sort();
    all_are_stored(&stage, &ids).await;
    let served = stage.simulator.served();
    assert_eq!((served.status_429, served.detail), (0, 160));
    for worker in workers {
        worker.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_finds_the_rate_of_an_api_by_itself_and_no_job_pays_for_it() {
    let stage = limited_to(5.0, 40).await;
    let ids = stage.ask_for_all(ALL_BUT_ONE).await;
    let worker = Working::with(&stage, &[("ELEVENLABS_CONCURRENCY", "16")]).await;
    all_are_stored(&stage, &ids).await;
    let served = stage.simulator.served();
    assert!(served.status_429 > 0, "nothing was there to be found");
    assert!(served.status_429 <= 3 * 16, "a wave or three, not a storm: {served:?}");
    worker.stop().await;
}

/// The worker asks as fast as the API takes it, and the pass asks all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_pass_lists_while_a_worker_takes_all_that_the_api_allows() {
    let rate = Faults { rate_limit: Some(20.0), rate_burst: Some(1), ..Faults::default() };
    let stage = Stage::with(600, rate).await;
    stage.ask_for_all(ALL_BUT_ONE).await;
    let worker = Working::with(&stage, &[]).await;
    until("it has been refused, and goes on", async || {
        let served = stage.simulator.served();
        served.status_429 > 0 && served.status_2xx > 20
    })
    .await;
    let before = stage.simulator.served().detail;
    let pass = Process::start("producer", &["sync"], &stage.variables()).finished().await;
    assert_eq!(pass.code, Some(0), "{}", pass.stderr);
    assert!(stage.simulator.served().detail > before, "nobody else asked meanwhile");
    worker.stop().await;
}

/// Workers that did not know of each other would refuse each other their turns, whatever each of them did.
#[tokio::test(flavor = "multi_thread")]
async fn workers_find_together_how_close_requests_may_follow_each_other() {
    let retry_after = Some(std::time::Duration::from_secs(1));
    let rate = Faults { rate_limit: Some(20.0), rate_burst: Some(1), retry_after, ..Faults::default() };
    let stage = Stage::with(200, rate).await;
    let ids = stage.ask_for_all(ALL_BUT_ONE).await;
    let mut workers = Vec::new();
    for _ in 0..4 {
        workers.push(Working::with(&stage, &[]).await);
    }
    all_are_stored(&stage, &ids).await;
    let known = "SELECT count(*) FROM cuotas WHERE estado LIKE '%found%'";
    assert_eq!(stage.database.value(known), "1", "what one is told all know");
    let served = stage.simulator.served();
    assert!(served.status_429 <= 100, "some waves, not a storm: {served:?}");
    for worker in workers {
        worker.stop().await;
    }
}

/// Only a limit that somebody set must be kept whatever happens.
#[tokio::test(flavor = "multi_thread")]
async fn what_all_know_of_the_rate_may_be_away() {
    let stage = limited_to(40.0, 60).await;
    let ids = stage.ask_for_all(ALL_BUT_ONE).await;
    stage.database.execute("ALTER TABLE cuotas RENAME TO elsewhere");
    let worker = Working::with(&stage, &[]).await;
    all_are_stored(&stage, &ids).await;
    let pass = Process::start("producer", &["sync"], &stage.variables()).finished().await;
    assert_eq!(pass.code, Some(0), "{}", pass.stderr);
    worker.stop().await;
}

/// Old calls wait for every request of a small budget: the fresh one goes before them all the same.
#[tokio::test(flavor = "multi_thread")]
async fn under_a_small_budget_a_fresh_call_is_the_next_one_asked_for() {
    use shared::queue::{Destination, Lane};
    let stage = Stage::with(30, Faults::default()).await;
    let ids = stage.simulator.conversation_ids();
    let (fresh, old) = ids.split_first().expect("there are some");
    stage.ask_in(Destination::Work(Lane::Backfill), old, ALL_BUT_ONE).await;
    let worker = Working::with(&stage, &[("ELEVENLABS_RATE_LIMIT", "1/s")]).await;
    until("some old ones are stored", async || stage.stored().len() >= 2).await;
    stage.ask(std::slice::from_ref(fresh), ALL_BUT_ONE).await;
    let before = stage.simulator.served().detail;
    until("it is stored", async || stage.stored().contains(fresh)).await;
    let asked = stage.simulator.served().detail - before;
    // Itself, one under way, one begun meanwhile, and what a busy machine saw late; in a line it would be the last of 28.
    assert!(asked <= 14, "{asked} were asked for until then");
    worker.stop().await;
}
