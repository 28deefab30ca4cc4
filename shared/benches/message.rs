//! Messages: made, and read.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use shared::ids::{AgentId, ConversationId};
use shared::job::FetchConversation;
use shared::queue::Message;

fn messages(criterion: &mut Criterion) {
    let job = FetchConversation {
        conversation_id: ConversationId::parse("conv_0123456789abcdefghijklmnopqr").expect("an id"),
        agent_id: AgentId::parse("agent_0123456789abcdefghijklmnopq").ok(),
        run_id: Some("8f14e45f-ceea-467f-a8b6-2f5d3a1c9b70".to_owned()),
    };
    criterion.bench_function("message/made", |bencher| bencher.iter(|| Message::new(black_box(&job))));
    let arrived = Message::new(&job).travelled();
    criterion.bench_function("message/read", |bencher| {
        bencher.iter(|| black_box(&arrived).job().expect("a job of ours"));
    });
}

criterion_group!(benches, messages);
criterion_main!(benches);
