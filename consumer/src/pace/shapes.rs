//! Workers on a simulated clock, against APIs of every shape. The figures: `cargo test -p consumer --lib pace -- --nocapture`.

use super::Excess;
use super::simulated::{Api, Outcome, asked};

/// What a shape came to: times the ideal, refused from the fifth second on, Jain's index of fairness.
struct Figures {
    times: f64,
    refused: f64,
    jain: f64,
}

/// A minute's worth of calls, by workers of eight permits.
fn figures(api: Api, workers: u8) -> Figures {
    const SECS: f64 = 60.0;
    let most = 8.0 * f64::from(workers) / (api.latency + 0.001);
    let calls = SECS * api.rate.min(most);
    let ideal = ((calls - api.burst) / api.rate).max(calls / most);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some thousands")]
    let outcome = asked(api, workers.into(), 8, calls as usize, ideal * 20.0);
    Figures { times: outcome.secs / ideal, refused: outcome.refused_after(5.0), jain: outcome.jain() }
}

/// Every shape of a rate with such a burst.
#[expect(clippy::print_stdout, reason = "the figures, for who runs it with --nocapture")]
fn matrix(name: &str, burst: impl Fn(f64) -> f64, workers: u8) -> [(f64, f64); 3] {
    let mut all = Vec::new();
    for rate in [10.0, 30.0, 100.0, 400.0] {
        let burst = burst(rate);
        for retry_after in [None, Some(1.0)] {
            for latency in [0.0, 0.05, 0.3] {
                let figures = figures(Api { retry_after, latency, ..Api::new(rate, burst) }, workers);
                let Figures { times, refused, jain } = figures;
                println!(
                    "| {rate} | {burst} | {} | {latency} s | {workers} | {times:.2} | {:.1} | {jain:.2} |",
                    retry_after.map_or_else(|| "none".to_owned(), |secs| format!("{secs} s")),
                    refused * 100.0
                );
                all.push(figures);
            }
        }
    }
    let spreads = [
        spread(&all, |it| it.times),
        spread(&all, |it| it.refused * 100.0),
        spread(&all, |it| 1.0 - it.jain),
    ];
    println!(
        "burst {name}, {workers} workers: (median, worst) times the ideal, % refused, Jain's index short of 1: {spreads:.2?}"
    );
    spreads
}

/// Median and worst.
fn spread(figures: &[Figures], of: impl Fn(&Figures) -> f64) -> (f64, f64) {
    let mut all: Vec<f64> = figures.iter().map(of).collect();
    all.sort_by(f64::total_cmp);
    (all[all.len() / 2], all[all.len() - 1])
}

#[test]
fn the_rate_is_found_within_seconds_whatever_its_shape() {
    for (name, burst) in [("of ten", (|_| 10.0) as fn(f64) -> f64), ("of a second", |rate| rate)] {
        let [(median, worst), (_, refused), _] = matrix(name, burst, 1);
        assert!(median < 1.03 && worst < 1.35, "{median} {worst}");
        assert!(refused < 3.0, "{refused}");
    }
}

/// An API that takes no two requests closer than its rate says: each probe costs a Retry-After.
#[test]
fn a_rate_without_a_burst_is_found_too() {
    let [(median, worst), (_, refused), _] = matrix("of one", |_| 1.0, 1);
    assert!(median < 1.15 && worst < 1.45, "{median} {worst}");
    assert!(refused < 2.0, "{refused}");
}

#[test]
fn workers_find_it_together_and_share_it() {
    for (name, burst) in [("of ten", (|_| 10.0) as fn(f64) -> f64), ("of a second", |rate| rate)] {
        let [(median, worst), (_, refused), (_, unfair)] = matrix(name, burst, 4);
        assert!(median < 1.12 && worst < 1.4, "{median} {worst}");
        assert!(refused < 3.0, "{refused}");
        assert!(unfair < 0.05, "{unfair}");
    }
    let [(median, worst), (_, refused), (_, unfair)] = matrix("of one", |_| 1.0, 4);
    assert!(median < 1.22 && worst < 1.4, "{median} {worst}");
    assert!(refused < 2.0, "{refused}");
    assert!(unfair < 0.05, "{unfair}");
}

#[test]
fn workers_that_share_a_limit_that_was_set_take_no_longer_than_it_says() {
    for rate in [10.0, 100.0, 400.0] {
        let api = Api { ceiling: Some(1.0 / rate), ..Api::new(rate * 1.1, rate) };
        let outcome = asked(api, 4, 8, 2000, 1e4);
        let times = outcome.secs / (2000.0 / rate);
        assert!(outcome.refused.is_empty() && times < 1.05, "{rate}/s: {times}");
        assert!(outcome.jain() > 0.95);
    }
}

#[test]
fn a_limit_per_minute_is_a_rate_with_a_burst() {
    for (retry_after, workers) in [(None, 1), (Some(1.0), 1), (None, 4), (Some(1.0), 4)] {
        let outcome = asked(Api { retry_after, ..Api::new(10.0, 60.0) }, workers, 8, 1260, 400.0);
        assert!(outcome.secs < 120.0 * 1.05, "{}", outcome.secs);
    }
}

#[test]
fn a_limit_that_is_lifted_is_found_within_ten_seconds() {
    for retry_after in [None, Some(1.0)] {
        for at in [15.0, 22.0, 33.0] {
            let api = Api { retry_after, change: Some((at, 400.0)), ..Api::new(100.0, 10.0) };
            let outcome = asked(api, 1, 8, 100_000, at + 12.0);
            let accepted =
                (1..=11).map(|sec| outcome.accepted_between(at + f64::from(sec - 1), at + f64::from(sec)));
            assert!(accepted.fold(0.0, f64::max) > 300.0, "lifted at {at}");
        }
    }
}

#[test]
fn a_limit_that_is_halved_costs_an_episode_a_second_at_most() {
    for retry_after in [None, Some(1.0)] {
        let api = Api { retry_after, change: Some((15.0, 50.0)), ..Api::new(100.0, 100.0) };
        let outcome = asked(api, 1, 8, 100_000, 35.0);
        assert!(outcome.accepted_between(15.0, 35.0) > 950.0);
        for sec in 15..35 {
            let from = f64::from(sec);
            let refused = outcome.refused.iter().filter(|at| **at >= from && **at < from + 1.0).count();
            assert!(refused <= 8, "as many as were in flight");
        }
    }
}

/// What is refused altogether for more than a minute says nothing of the rate.
#[test]
fn a_closed_api_pauses_and_goes_on_as_before() {
    let api = Api { closed: Some((10.0, 80.0)), ..Api::new(100.0, 10.0) };
    let Outcome { paused, refused, accepted, .. } = asked(api, 1, 8, 100_000, 100.0);
    assert!(paused);
    let closed = refused.iter().filter(|at| (10.0..80.0).contains(*at)).count();
    assert!(closed < 90, "one asks for all: {closed}");
    assert!(accepted.iter().filter(|at| **at > 90.0).count() > 750);
}

/// Two thousand calls where so many may be in flight: times the ideal.
fn times_at_once(api: Api) -> f64 {
    let limit = f64::from(u32::try_from(api.at_once.unwrap_or(8).min(8)).unwrap_or(8));
    let outcome = asked(api, 1, 8, 2000, 1e4);
    outcome.secs / (2000.0 * (api.latency + 0.001) / limit)
}

#[test]
fn a_limit_of_requests_at_once_moves_the_permits() {
    for retry_after in [None, Some(1.0)] {
        for limit in [2, 5, 20] {
            for latency in [0.05, 0.3] {
                let at_once = Some(limit);
                let api = Api { retry_after, latency, at_once, excess: Excess::AtOnce, ..Api::new(1e9, 1e9) };
                let times = times_at_once(api);
                assert!(times < 1.35, "{limit} at once, {latency} s, {retry_after:?}: {times}");
            }
        }
    }
}

/// A 429 that does not say of what there was too much is taken for the rate; if that is kept and there is another, it was
/// the requests in flight.
#[test]
fn what_an_unknown_429_is_about_the_next_one_shows() {
    for retry_after in [None, Some(1.0)] {
        for limit in [2, 5, 20] {
            let (at_once, latency) = (Some(limit), 0.3);
            let api = Api { retry_after, latency, at_once, excess: Excess::Unknown, ..Api::new(1e9, 1e9) };
            let times = times_at_once(api);
            assert!(times < 2.0, "{limit} at once, {retry_after:?}: {times}");
        }
        for (rate, burst) in [(10.0, 1.0), (30.0, 10.0), (100.0, 100.0)] {
            let api = Api { retry_after, latency: 0.05, excess: Excess::Unknown, ..Api::new(rate, burst) };
            let Figures { times, refused, .. } = figures(api, 1);
            let shape = format!("{rate}/s, {burst} at once, {retry_after:?}");
            assert!(times < 1.7 && refused < 0.03, "{shape}: {times} {refused}");
        }
    }
}

/// A limit that is used to the last request has room for the pass all the same, and one that is for lists alone slows
/// nobody else.
#[test]
fn a_pass_lists_while_workers_take_all_that_the_api_allows() {
    for (rate, pages_rate, workers) in [(20.0, None, 1), (20.0, None, 4), (100.0, Some(1.0), 4)] {
        let api = Api { pages: 20, pages_rate, ..Api::new(rate, 1.0) };
        let outcome = asked(api, workers, 8, 100_000, 60.0);
        assert_eq!(outcome.listed.len(), 20, "{rate}/s, lists {pages_rate:?}");
        let calls = outcome.accepted_between(5.0, 60.0);
        assert!(calls > 0.75 * rate * 55.0, "{calls} of {rate}/s, lists {pages_rate:?}");
    }
}
