//! The clocks: a job's lane, the age of an unfinished call and the cursor are judged by them.

use chrono::TimeDelta;
use shared::exit::Exit;

use super::report::Report;

const CHECK: &str = "clock";

/// What clocks that are kept by NTP never differ by.
const MOST: TimeDelta = TimeDelta::seconds(60);

/// Compares this machine's clock with others, each ahead of it by so much.
pub(super) fn check(others: &[(&str, Option<TimeDelta>)], report: &mut Report) {
    let known: Vec<_> = others.iter().filter_map(|(whose, ahead)| Some((*whose, (*ahead)?))).collect();
    if known.is_empty() {
        return report.skipped(CHECK, "no other clock to be had");
    }
    for (whose, ahead) in &known {
        if ahead.abs() > MOST {
            let secs = ahead.num_seconds().abs();
            let which = if *ahead > TimeDelta::zero() { "behind" } else { "ahead of" };
            report.failed(
                CHECK,
                Exit::Failed,
                format!("this machine's clock is {secs} s {which} {whose}"),
                "let NTP keep both (timedatectl set-ntp true)",
            );
        }
    }
    if known.iter().all(|(_, ahead)| ahead.abs() <= MOST) {
        let names: Vec<_> = known.iter().map(|(whose, _)| *whose).collect();
        report.good(CHECK, format!("agrees with {}", names.join(" and ")));
    }
}
