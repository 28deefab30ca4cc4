//! `/proc/PID/stat` and `/proc/PID/status`.

use std::path::PathBuf;

/// `USER_HZ`, the ticks in which the kernel tells CPU time: 100 a second on every architecture that we build for.
const TICKS_PER_SEC: f64 = 100.0;

/// What `/proc/PID/stat` says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stat {
    pub(super) parent: u32,
    /// It has ended, and nobody has asked how: its times are final.
    pub(super) is_zombie: bool,
    /// Its own CPU time, seconds.
    pub(super) cpu_secs: f64,
    /// That of its children that have ended, seconds.
    pub(super) children_secs: f64,
}

impl Stat {
    /// Of a process; `None` when there is none.
    pub(super) fn read(pid: u32) -> Option<Self> {
        Self::parse(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    fn parse(text: &str) -> Option<Self> {
        // The name stands in parentheses, and may hold anything.
        let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
        let secs = |field: usize| Some(fields.get(field)?.parse::<f64>().ok()? / TICKS_PER_SEC);
        Some(Self {
            is_zombie: *fields.first()? == "Z",
            parent: fields.get(1)?.parse().ok()?,
            cpu_secs: secs(11)? + secs(12)?,
            children_secs: secs(13)? + secs(14)?,
        })
    }

    /// Of every process that there is.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        let folders = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        folders.filter_map(|entry| Self::read(entry.file_name().to_str()?.parse().ok()?))
    }
}

/// The most memory that a process has had in use at once (`VmHWM`), in KiB; `None` when it has ended.
pub(super) fn peak_kib(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(PathBuf::from(format!("/proc/{pid}/status"))).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_and_blanks_shifts_nothing() {
        let text = "42 (a) b (c)) Z 7 42 42 0 -1 4194304 1 2 3 4 150 50 20 5 20 0 1 0 9 0 0";
        let stat = Stat::parse(text).expect("a stat line");
        assert!(stat.is_zombie);
        assert_eq!(stat.parent, 7);
        assert!((stat.cpu_secs - 2.0).abs() < 1e-9);
        assert!((stat.children_secs - 0.25).abs() < 1e-9);
    }

    #[test]
    fn this_process_has_used_memory() {
        assert!(peak_kib(std::process::id()).is_some_and(|kib| kib > 100));
        assert!(Stat::all().any(|stat| !stat.is_zombie));
    }
}
