//! Calls in which very much was said: what is read of them and not written yet is bounded, and none waits for ever.

mod support {
    #[expect(dead_code, reason = "other tests look into queues")]
    pub(crate) mod stage;
    pub(crate) mod until;
    #[expect(dead_code, reason = "other tests stop workers")]
    pub(crate) mod work;
}

use serde_json::json;
use shared::exit::Exit;
use simulator::Faults;

use support::stage::Stage;
use support::work::drain;

/// More of them than there is room for at once, and one that is longer than all the room.
#[tokio::test(flavor = "multi_thread")]
async fn long_calls_are_stored_beside_short_ones() {
    const MIB: usize = 1024 * 1024;
    let stage = Stage::with(8, Faults::default()).await;
    let ids = stage.ask_for_all(0).await;
    let lengths = [12, 12, 12, 34].map(|length| length * MIB);
    for (id, length) in ids.iter().zip(lengths) {
        let said = "Me piden dinero. ".repeat(length / 17 / 100);
        stage.simulator.set_conversation(id, |detail| {
            let turn = |secs: usize| json!({"role": "user", "message": said, "time_in_call_secs": secs});
            detail["transcript"] = (0..100).map(turn).collect();
        });
    }
    assert_eq!(drain(&stage, &[("ELEVENLABS_MAX_BODY", "64MiB")]).await, Exit::Done);
    assert_eq!(stage.stored(), ids);
    let longest = stage.database.value("SELECT max(length(transcripcion)) > 33000000 FROM conversaciones");
    assert_eq!(longest, "true");
}
