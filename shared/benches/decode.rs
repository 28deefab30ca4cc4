//! What arrives, taken apart: bodies of conversations and of lists, and messages.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use shared::elevenlabs::Conversation;
use shared::ids::{AgentId, ConversationId};
use shared::job::FetchConversation;
use shared::queue::Message;
use simulator::{Settings, Simulator};

/// The simulator's longest calls are as long; all others are a tenth of it at most.
const LONG_BYTES: usize = 100_000;

/// The bodies of two hundred calls: every kind that there is.
fn bodies() -> Vec<Vec<u8>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime can be made").block_on(async {
        let settings =
            Settings { conversations: 200, newest_start: Some(1_790_000_000), ..Settings::default() };
        let simulator = Simulator::start(settings).await.expect("it starts");
        let ids = simulator.conversation_ids();
        let body =
            |id: &String| simulator.conversation_json(id).expect("it is there").to_string().into_bytes();
        ids.iter().map(body).collect()
    })
}

fn conversations(criterion: &mut Criterion) {
    let (long, typical): (Vec<_>, Vec<_>) = bodies().into_iter().partition(|body| body.len() > LONG_BYTES);
    let mut group = criterion.benchmark_group("conversation");
    for (name, bodies) in [("typical", typical), ("200 kB", long)] {
        assert!(!bodies.is_empty(), "{name}: the simulator has such calls");
        group.throughput(Throughput::Bytes(bodies.iter().map(|body| body.len() as u64).sum()));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                for body in &bodies {
                    black_box(
                        Conversation::parse(black_box(body)).expect("the simulator's bodies are valid"),
                    );
                }
            });
        });
    }
    group.finish();
}

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

criterion_group!(benches, conversations, messages);
criterion_main!(benches);
