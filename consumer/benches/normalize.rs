//! From a body to a conversation to its rows: typical ones, and one of 200 kB.

use std::hint::black_box;

use consumer::normalize::normalize;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use shared::config::ReportConfig;
use shared::elevenlabs::Conversation;
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

fn benchmark(criterion: &mut Criterion) {
    let config = ReportConfig::default();
    let (long, typical): (Vec<_>, Vec<_>) = bodies().into_iter().partition(|body| body.len() > LONG_BYTES);
    for (name, bodies) in [("typical", typical), ("200 kB", long)] {
        assert!(!bodies.is_empty(), "{name}: the simulator has such calls");
        let parse = |body: &Vec<u8>| Conversation::parse(body).expect("the simulator's bodies are valid");
        let conversations: Vec<Conversation> = bodies.iter().map(parse).collect();
        let mut group = criterion.benchmark_group("decode");
        group.throughput(Throughput::Bytes(bodies.iter().map(|body| body.len() as u64).sum()));
        group.bench_function(name, |bencher| {
            bencher.iter(|| bodies.iter().for_each(|body| _ = black_box(parse(black_box(body)))));
        });
        group.finish();
        let mut group = criterion.benchmark_group("normalize");
        group.throughput(Throughput::Elements(conversations.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                for conversation in &conversations {
                    black_box(normalize(black_box(conversation), &config));
                }
            });
        });
        group.finish();
    }
}

criterion_group!(benches, benchmark);
criterion_main!(benches);
