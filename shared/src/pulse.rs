//! A process's pulse: a small private file that says what the process does, and for how long that may be believed.
//!
//! Another process of the same binary, told `health`, reads it: without configuration and without a network. Whoever hangs
//! is found out by not writing.

use std::collections::BTreeMap;
use std::io::{Error, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::exit::Exit;

/// The pulse of this process; its file goes when this is dropped.
#[derive(Debug)]
pub struct Pulse {
    path: PathBuf,
    has_warned: AtomicBool,
}

impl Pulse {
    /// The pulse of this process, of this binary, in the temporary folder. Nothing is written before its first beat.
    #[must_use]
    pub fn begin(binary: &str) -> Self {
        Self::begin_in(&std::env::temp_dir(), binary)
    }

    fn begin_in(folder: &Path, binary: &str) -> Self {
        let name = format!("{}{}.{:08x}", prefix(binary), std::process::id(), rand::random::<u32>());
        Self { path: folder.join(name), has_warned: AtomicBool::new(false) }
    }

    /// Says what the process does now, and how long it is well for without another beat; no time at all says that it is
    /// not. A file that cannot be written is warned of once: the work goes on without.
    pub fn beat(&self, state: &str, well_for: Duration) {
        if let Err(error) = self.write(&Beat::new(SystemTime::now(), well_for, state))
            && !self.has_warned.swap(true, Ordering::Relaxed)
        {
            let path = self.path.display();
            log::warn!("{path} cannot be written ({error}): `health` will not find this process");
        }
    }

    /// Replaces the file, so that nobody reads half of it.
    fn write(&self, beat: &Beat) -> Result<(), Error> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let mut file = tempfile::Builder::new().prefix(".089-").tempfile_in(folder)?;
        writeln!(file, "{} {} {}", beat.at_millis, beat.well_for_millis, beat.state)?;
        file.persist(&self.path)?;
        Ok(())
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        // What could not be written is not there.
        std::fs::remove_file(&self.path).ok();
    }
}

/// What was last said, and when.
#[derive(Debug, Eq, PartialEq)]
struct Beat {
    at_millis: u64,
    well_for_millis: u64,
    state: String,
}

impl Beat {
    fn new(now: SystemTime, well_for: Duration, state: &str) -> Self {
        let well_for_millis = u64::try_from(well_for.as_millis()).unwrap_or(u64::MAX);
        Self { at_millis: millis(now), well_for_millis, state: state.replace('\n', " ") }
    }

    fn parse(line: &str) -> Option<Self> {
        let mut parts = line.trim_end().splitn(3, ' ');
        let mut number = || parts.next()?.parse().ok();
        let (at_millis, well_for_millis) = (number()?, number()?);
        Some(Self { at_millis, well_for_millis, state: parts.next()?.to_owned() })
    }

    /// `None` when it says that it comes from the future: a clock was set back, and its age is not known.
    fn age_millis(&self, now: SystemTime) -> Option<u64> {
        millis(now).checked_sub(self.at_millis)
    }

    fn is_well(&self, now: SystemTime) -> bool {
        self.age_millis(now).is_some_and(|age| age < self.well_for_millis)
    }
}

fn millis(instant: SystemTime) -> u64 {
    let since = instant.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn prefix(binary: &str) -> String {
    format!("089-{binary}.")
}

/// Prints what was found of the processes of this binary on this machine, or in this container, on one line; done when
/// one of them is well.
///
/// # Errors
/// When standard output is closed.
pub fn health(binary: &str) -> std::io::Result<Exit> {
    let (exit, found) = match look(&std::env::temp_dir(), binary, SystemTime::now()) {
        Ok(found) => (Exit::Done, found),
        Err(found) => (Exit::Failed, found),
    };
    writeln!(std::io::stdout(), "{found}")?;
    Ok(exit)
}

/// The one that is well, or else the newest that is not.
fn look(folder: &Path, binary: &str, now: SystemTime) -> Result<String, String> {
    let mut pulses: Vec<(u32, Beat)> = pulses(folder, binary).into_iter().collect();
    pulses.sort_by_key(|(_, beat)| (beat.is_well(now), beat.at_millis));
    let Some((process, beat)) = pulses.pop() else {
        return Err(format!("no {binary} gives a sign in {}", folder.display()));
    };
    let age =
        beat.age_millis(now).map_or("from the future".to_owned(), |age| format!("{} s ago", age / 1000));
    let found = format!("{binary} {process}, {age}: {}", beat.state);
    if beat.is_well(now) { Ok(found) } else { Err(format!("not well: {found}")) }
}

/// The last beat of every process of this binary that lives. In a container each run has the same id, and one that was
/// killed leaves its file behind: the newest counts.
fn pulses(folder: &Path, binary: &str) -> BTreeMap<u32, Beat> {
    let mut found: BTreeMap<u32, Beat> = BTreeMap::new();
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file())) {
        let name = entry.file_name().into_string().unwrap_or_default();
        let process =
            name.strip_prefix(&prefix(binary)).and_then(|rest| rest.split('.').next()?.parse().ok());
        let Some(process) = process.filter(|&process| is_alive(process)) else { continue };
        let text = std::fs::read_to_string(entry.path()).unwrap_or_default();
        let Some(beat) = Beat::parse(&text) else { continue };
        if found.get(&process).is_none_or(|other| other.at_millis <= beat.at_millis) {
            found.insert(process, beat);
        }
    }
    found
}

/// Whether a process of this id runs the same program as this one: ids are given out again.
fn is_alive(process: u32) -> bool {
    let program =
        |process: &str| std::fs::read_to_string(PathBuf::from("/proc").join(process).join("comm")).ok();
    program(&process.to_string()).is_some_and(|name| program("self") == Some(name))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const WELL: Duration = Duration::from_secs(30);

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().expect("the temporary folder is writable")
    }

    fn begin(folder: &tempfile::TempDir) -> Pulse {
        Pulse::begin_in(folder.path(), "worker")
    }

    fn files(folder: &tempfile::TempDir) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder.path()).expect("a folder");
        entries.map(|entry| entry.expect("an entry").path()).collect()
    }

    /// A file as a process that was killed leaves it behind.
    fn leave(folder: &tempfile::TempDir, process: u32, beat: &Beat) {
        let name = format!("089-worker.{process}.left");
        let line = format!("{} {} {}\n", beat.at_millis, beat.well_for_millis, beat.state);
        std::fs::write(folder.path().join(name), line).expect("a file");
    }

    #[test]
    fn what_was_last_said_holds_for_as_long_as_it_said() {
        let folder = folder();
        let now = SystemTime::now();
        assert!(look(folder.path(), "worker", now).is_err_and(|found| found.contains("no worker")));
        let pulse = begin(&folder);
        pulse.beat("connecting", Duration::ZERO);
        let found = look(folder.path(), "worker", SystemTime::now());
        assert!(found.is_err_and(|found| found.ends_with(": connecting")));
        pulse.beat("consuming", WELL);
        let now = SystemTime::now();
        assert!(look(folder.path(), "worker", now).is_ok_and(|found| found.ends_with(": consuming")));
        assert!(look(folder.path(), "worker", now + WELL).is_err(), "it hangs");
        assert!(look(folder.path(), "worker", now - WELL).is_err(), "a clock was set back");
        assert!(look(folder.path(), "work", now).is_err() && look(folder.path(), "worker.1", now).is_err());
    }

    #[test]
    fn its_file_is_private_and_goes_with_it() {
        let folder = folder();
        let pulse = begin(&folder);
        pulse.beat("consuming", WELL);
        pulse.beat("consuming\nand no second line", WELL);
        let [file] = &files(&folder)[..] else { panic!("one file") };
        assert_eq!(std::fs::metadata(file).expect("a file").permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_to_string(file).expect("text").lines().count(), 1);
        drop(pulse);
        assert_eq!(files(&folder), [""; 0].map(PathBuf::from));
    }

    #[test]
    fn what_a_dead_process_left_behind_counts_for_nothing() {
        let folder = folder();
        let now = SystemTime::now();
        let mut child = std::process::Command::new("true").spawn().expect("a process");
        child.wait().expect("it ends");
        leave(&folder, child.id(), &Beat::new(now, WELL, "consuming"));
        // Alive, and another program.
        leave(&folder, std::os::unix::process::parent_id(), &Beat::new(now, WELL, "consuming"));
        assert!(look(folder.path(), "worker", now).is_err_and(|found| found.contains("no worker")));
    }

    #[test]
    fn of_two_runs_of_one_id_the_newer_counts() {
        let folder = folder();
        let now = SystemTime::now();
        leave(&folder, std::process::id(), &Beat::new(now, WELL, "consuming"));
        let later = now + Duration::from_secs(1);
        let pulse = begin(&folder);
        pulse.write(&Beat::new(later, Duration::ZERO, "connecting")).expect("writable");
        assert!(look(folder.path(), "worker", later).is_err_and(|found| found.ends_with(": connecting")));
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_no_reason_to_stop() {
        let pulse = Pulse::begin_in(Path::new("/nowhere"), "worker");
        pulse.beat("consuming", WELL);
        assert!(look(Path::new("/nowhere"), "worker", SystemTime::now()).is_err());
    }

    #[test]
    fn half_a_line_or_none_is_not_a_beat() {
        for text in ["", "\n", "1", "1 2", "x 2 consuming", "1 -2 consuming"] {
            assert_eq!(Beat::parse(text), None, "{text:?}");
        }
        assert!(
            Beat::parse("1 2 waiting; last pass: 3 listed\n")
                .is_some_and(|beat| beat.state.contains("pass: 3"))
        );
    }
}
