//! What happens, as it happens: a line for each, on standard error and in a file.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Knows when the drill began.
#[derive(Debug)]
pub struct Journal {
    file: Mutex<File>,
    began: Instant,
}

impl Journal {
    /// Begins one.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn create(path: &Path) -> std::io::Result<Self> {
        Ok(Self { file: Mutex::new(File::create(path)?), began: Instant::now() })
    }

    /// Time since the beginning.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Writes a line. That somebody has closed standard error is no reason to stop.
    pub fn note(&self, line: &str) {
        let line = format!("{:7.1} s  {line}", self.elapsed().as_secs_f64());
        writeln!(std::io::stderr(), "{line}").ok();
        writeln!(self.file.lock().unwrap_or_else(PoisonError::into_inner), "{line}").ok();
    }
}
