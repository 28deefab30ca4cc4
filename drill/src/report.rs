//! The one table at the end.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::books::Folios;

/// What a drill came to.
#[derive(Debug, Default)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// Tells its plan from others.
    pub plan: String,
    /// How many workers there were.
    pub workers: usize,
    /// For how long faults were played.
    pub played_for: Duration,
    /// How long it took until everything was at rest, after the last fault.
    pub rested_after: Duration,
    /// How the disk was filled.
    pub disk: &'static str,
    /// The faults, by kind.
    pub faults: BTreeMap<String, u32>,
    /// How our processes ended, by kind.
    pub endings: BTreeMap<String, u32>,
    /// Calls that the API lists.
    pub listed: usize,
    /// Calls that are stored.
    pub stored: usize,
    /// Stored calls that the book does not know.
    pub unrecorded: usize,
    /// Calls that are dead letters.
    pub dead: usize,
    /// What these and the discarded died of.
    pub classes: BTreeMap<String, i64>,
    /// Calls that were discarded.
    pub discarded: usize,
    /// Requests for details.
    pub requests: u64,
    /// Requests for the details of a call beyond its first.
    pub repeated: u64,
    /// The folios.
    pub folios: Folios,
    /// How long nothing came to its end although something was due.
    pub idle: Duration,
    /// How often the tables were compared with what was seen before.
    pub looks: u32,
    /// Everything that is not as it must be.
    pub discrepancies: Vec<String>,
}

impl Report {
    /// Whether everything is as it must be.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.discrepancies.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = |name: &str, value: String| writeln!(formatter, "{name:<36} {value}");
        line("drill", format!("seed {}, plan {}, {} workers", self.seed, self.plan, self.workers))?;
        let (played, rested) = (self.played_for.as_secs(), self.rested_after.as_secs());
        line("time", format!("{played} s of faults, then {rested} s until all was at rest"))?;
        line("faults", self.faults.values().sum::<u32>().to_string())?;
        for (kind, count) in &self.faults {
            let how = if kind.ends_with("disk full") { self.disk } else { "" };
            line(&format!("  {kind}"), format!("{count}{how}"))?;
        }
        line("processes that ended", self.endings.values().sum::<u32>().to_string())?;
        for (kind, count) in &self.endings {
            line(&format!("  {kind}"), count.to_string())?;
        }
        line("calls listed", self.listed.to_string())?;
        line("  stored, with one report if somebody's", self.stored.to_string())?;
        line("  (of them not in the book)", self.unrecorded.to_string())?;
        line("  dead letters", self.dead.to_string())?;
        line("  discarded", self.discarded.to_string())?;
        let classes = self.classes.iter().map(|(class, count)| format!("{count} {class}"));
        line("  (dead and discarded are of)", classes.collect::<Vec<_>>().join(", "))?;
        line("requests for details", self.requests.to_string())?;
        line("  beyond one a call: absorbed", self.repeated.to_string())?;
        let Folios { aborted, skipped } = self.folios;
        line("folios without a report", format!("{aborted} aborted, {skipped} skipped by crashes"))?;
        line(
            "time lost",
            format!(
                "{} s in which nothing came to its end, with calls listed for over 5 s",
                self.idle.as_secs()
            ),
        )?;
        line("looks at the tables meanwhile", self.looks.to_string())?;
        for discrepancy in &self.discrepancies {
            line("WRONG", discrepancy.clone())?;
        }
        let sum = "listed = stored + dead + discarded, by id; no folio changed or lost; no message left; nothing private";
        if self.is_exact() {
            line("verdict", format!("EXACT: {sum}"))
        } else {
            line("verdict", format!("NOT EXACT: {} discrepancies", self.discrepancies.len()))
        }
    }
}
