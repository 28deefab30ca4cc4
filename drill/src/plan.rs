//! What is going to happen, and when: drawn from a seed, so that the same seed is the same drill.
//!
//! Faults are drawn in lanes, one for each part that can fail. Those of a lane follow one another; those of different lanes
//! overlap as they please.

use std::fmt;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use sha2::{Digest, Sha256};

use crate::fault::{Fault, Lane};

/// The turn of a pass or a verb that was killed lasts for a minute: in the last one of a drill none is killed, so that its
/// end does not wait for that.
const TURN: Duration = Duration::from_mins(1);

/// A drill that lasts so long has outages that are longer than any patience with a single request.
const LONG: Duration = Duration::from_mins(10);

/// One outage in so many of a long drill lasts …
const LONG_ONE_IN: u32 = 8;

/// … so many times as long.
const LONGER: u32 = 6;

/// A long drill need not play every kind within two minutes: what keeps everybody from working comes so many times less
/// often, so that those who are killed are at work.
const CALMER: u32 = 3;

/// One thing that goes wrong.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Act {
    /// When, from the beginning of the drill.
    pub at: Duration,
    /// For how long; of a kill, how long its victim has worked before.
    pub lasts: Duration,
    /// What.
    pub fault: Fault,
}

/// New calls at the API.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Wave {
    /// When, from the beginning of the drill.
    pub at: Duration,
    /// How many.
    pub calls: u32,
}

/// A whole drill.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Plan {
    /// For how long faults are played.
    pub lasts: Duration,
    /// The faults, by lane, each in the order of time.
    pub lanes: Vec<(Lane, Vec<Act>)>,
    /// The calls that come meanwhile.
    pub waves: Vec<Wave>,
}

impl Plan {
    /// The plan of a seed, for so many workers.
    #[must_use]
    pub fn new(seed: u64, lasts: Duration, workers: usize) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let lanes = Lane::ALL.map(|lane| (lane, acts(&mut rng, lane, lasts, workers))).into();
        Self { lasts, lanes, waves: waves(&mut rng, lasts) }
    }

    /// All faults in the order of time.
    #[must_use]
    pub fn acts(&self) -> Vec<&Act> {
        let mut acts: Vec<&Act> = self.lanes.iter().flat_map(|(_, acts)| acts).collect();
        acts.sort_by_key(|act| act.at);
        acts
    }

    /// Tells plans apart.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let hash = Sha256::digest(format!("{self}{:?}", self.waves));
        hash.iter().take(6).fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
    }
}

impl fmt::Display for Plan {
    /// A line for each fault.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Act { at, lasts, fault } in self.acts() {
            writeln!(formatter, "{:8.1} s  {fault}, {:.1} s", at.as_secs_f64(), lasts.as_secs_f64())?;
        }
        Ok(())
    }
}

/// A lane's faults: in shuffled rounds, so that none is left out for long.
fn acts(rng: &mut StdRng, lane: Lane, until: Duration, workers: usize) -> Vec<Act> {
    let rhythm = lane.rhythm();
    let is_long = until >= LONG;
    let mut acts = Vec::new();
    let mut now = Duration::ZERO;
    let draw = |rng: &mut StdRng| {
        let mut round = lane.round(|| rng.random_range(0..workers));
        round.shuffle(rng);
        round
    };
    let mut round = draw(rng);
    // Taken from the end: what may not come late comes first.
    round.sort_by_key(|fault| fault.costs_a_turn());
    loop {
        let gap = Duration::from_millis(rng.random_range(rhythm.gap_ms.clone()));
        now += if is_long && lane.is_outage() { gap * CALMER } else { gap };
        if round.is_empty() {
            round = draw(rng);
        }
        let Some(mut fault) = round.pop() else { return acts };
        let mut lasts = Duration::from_millis(rng.random_range(rhythm.lasts_ms.clone()));
        if is_long && rng.random_ratio(1, LONG_ONE_IN) && !fault.is_kill() {
            lasts *= LONGER;
        }
        if now + lasts > until {
            return acts;
        }
        if now + TURN > until {
            fault = fault.without_turn_lost();
        }
        acts.push(Act { at: now, lasts, fault });
        now += lasts;
    }
}

/// Now a few calls, now many: ten a second on average.
fn waves(rng: &mut StdRng, until: Duration) -> Vec<Wave> {
    let (mut waves, mut now) = (Vec::new(), Duration::ZERO);
    loop {
        now += Duration::from_millis(rng.random_range(500..5500));
        if now > until {
            return waves;
        }
        waves.push(Wave { at: now, calls: rng.random_range(1..=60) });
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const SHORT: Duration = Duration::from_secs(100);

    #[test]
    fn the_same_seed_is_the_same_plan() {
        let plan = Plan::new(7, SHORT, 3);
        assert_eq!(plan, Plan::new(7, SHORT, 3));
        assert_eq!(plan.fingerprint(), Plan::new(7, SHORT, 3).fingerprint());
        let others = [Plan::new(8, SHORT, 3), Plan::new(7, SHORT, 4), Plan::new(7, 2 * SHORT, 3)];
        assert!(others.iter().all(|other| other.fingerprint() != plan.fingerprint()));
    }

    #[test]
    fn a_short_drill_plays_every_kind_whatever_its_seed() {
        let wanted: BTreeSet<_> =
            Lane::ALL.iter().flat_map(|lane| lane.round(|| 0)).map(Fault::kind).collect();
        for seed in 0..200 {
            let plan = Plan::new(seed, SHORT, 3);
            let planned: BTreeSet<_> = plan.acts().iter().map(|act| act.fault.kind()).collect();
            assert_eq!(planned, wanted, "seed {seed}");
        }
    }

    #[test]
    fn the_faults_of_a_lane_follow_one_another_and_all_end_in_time() {
        let plan = Plan::new(89, LONG, 3);
        for (_, acts) in &plan.lanes {
            assert!(acts.windows(2).all(|pair| pair[0].at + pair[0].lasts <= pair[1].at));
            assert!(acts.iter().all(|act| act.at + act.lasts <= LONG));
        }
    }

    #[test]
    fn no_turn_is_lost_in_the_last_minute() {
        for seed in 0..50 {
            let plan = Plan::new(seed, SHORT, 3);
            let late = plan.acts().into_iter().filter(|act| act.at + TURN > SHORT);
            for act in late {
                assert_eq!(act.fault, act.fault.without_turn_lost());
            }
        }
    }
}
