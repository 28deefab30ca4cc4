//! Details that are kept ready to send are those that would be made anew.

mod support;

use reqwest::header::ACCEPT_ENCODING;
use simulator::{Faults, Settings};
use support::Visitor;

fn settings(keep_bytes: usize) -> Settings {
    Settings { conversations: 60, newest_start: Some(1_790_000_000), keep_bytes, ..Settings::default() }
}

async fn plain(visitor: &Visitor, id: &str) -> Vec<u8> {
    let url = format!("{}/v1/convai/conversations/{id}", visitor.simulator.base_url());
    let request =
        visitor.client.get(url).header("xi-api-key", &visitor.key).header(ACCEPT_ENCODING, "identity");
    let response = request.send().await.expect("it answers");
    response.bytes().await.expect("a whole body").to_vec()
}

#[tokio::test]
async fn a_kept_detail_is_the_same_the_second_time_compressed_or_not() {
    let (keeping, making) = (Visitor::new(settings(1 << 20)).await, Visitor::new(settings(0)).await);
    for id in making.simulator.conversation_ids() {
        let expected = plain(&making, &id).await;
        for _ in 0..2 {
            assert_eq!(keeping.detail_answer(&id).await.body, expected);
            assert_eq!(plain(&keeping, &id).await, expected);
        }
    }
}

#[tokio::test]
async fn a_kept_detail_gives_way_to_a_fault_and_to_what_is_written_by_hand() {
    let visitor = Visitor::new(settings(1 << 20)).await;
    let id = &visitor.simulator.conversation_ids()[3];
    let before = visitor.detail(id).await;
    visitor.simulator.set_faults(Faults { in_progress: 1.0, ..Faults::default() });
    assert_ne!(visitor.detail(id).await["status"], before["status"]);
    visitor.simulator.set_faults(Faults { missing: 1.0, ..Faults::default() });
    assert_eq!(visitor.detail_answer(id).await.status, 404);
    visitor.simulator.set_faults(Faults { malformed: 1.0, ..Faults::default() });
    assert_ne!(visitor.detail_answer(id).await.body, serde_json::to_vec(&before).unwrap());
    visitor.simulator.set_faults(Faults::default());
    assert_eq!(visitor.detail(id).await, before);
    visitor.simulator.set_conversation(id, |detail| detail["status"] = "by hand".into());
    assert_eq!(visitor.detail(id).await["status"], "by hand");
}

#[tokio::test]
async fn what_does_not_fit_is_made_each_time() {
    let visitor = Visitor::new(settings(1)).await;
    let id = &visitor.simulator.conversation_ids()[0];
    let expected = plain(&Visitor::new(settings(0)).await, id).await;
    assert_eq!(plain(&visitor, id).await, expected);
    assert_eq!(plain(&visitor, id).await, expected);
}
