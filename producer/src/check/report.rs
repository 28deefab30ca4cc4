//! What was found: printed as it is found, and counted at the end.

use serde::Serialize;
use shared::exit::Exit;

use crate::output;

/// How a check came out.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Outcome {
    Good,
    Warning,
    Failed,
    /// Something that it needs was not to be had.
    Skipped,
}

#[derive(Debug, Serialize)]
struct Finding {
    check: &'static str,
    outcome: Outcome,
    found: String,
    remedy: Option<String>,
}

/// All findings.
#[derive(Debug)]
pub(super) struct Report {
    is_json: bool,
    findings: Vec<Finding>,
    exit: Exit,
}

impl Report {
    pub(super) fn new(is_json: bool) -> Self {
        Self { is_json, findings: Vec::new(), exit: Exit::Done }
    }

    pub(super) fn good(&mut self, check: &'static str, found: impl Into<String>) {
        self.push(check, Outcome::Good, &found.into(), None);
    }

    pub(super) fn warning(
        &mut self,
        check: &'static str,
        found: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.push(check, Outcome::Warning, &found.into(), Some(&remedy.into()));
    }

    /// The first failure's exit code is the process's.
    pub(super) fn failed(
        &mut self,
        check: &'static str,
        exit: Exit,
        found: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        if self.exit == Exit::Done {
            self.exit = exit;
        }
        self.push(check, Outcome::Failed, &found.into(), Some(&remedy.into()));
    }

    pub(super) fn skipped(&mut self, check: &'static str, reason: impl Into<String>) {
        self.push(check, Outcome::Skipped, &reason.into(), None);
    }

    fn push(&mut self, check: &'static str, outcome: Outcome, found: &str, remedy: Option<&str>) {
        let (found, remedy) = (printable(found), remedy.map(printable));
        if !self.is_json {
            let mark = match outcome {
                Outcome::Good => '✓',
                Outcome::Warning => '!',
                Outcome::Failed => '✗',
                Outcome::Skipped => '-',
            };
            // A closed standard output is noticed at the end.
            output::words(&format!("{mark} {check:<13} "), &found).ok();
            if let Some(remedy) = &remedy {
                output::words(&format!("{:<16}-> ", ""), remedy).ok();
            }
        }
        self.findings.push(Finding { check, outcome, found, remedy });
    }

    /// Prints the count.
    pub(super) fn finish(self) -> std::io::Result<Exit> {
        let count = |outcome| self.findings.iter().filter(|finding| finding.outcome == outcome).count();
        let (failed, warnings) = (count(Outcome::Failed), count(Outcome::Warning));
        if self.is_json {
            let code = self.exit.code();
            output::json(&serde_json::json!({
                "findings": self.findings, "failed": failed, "warnings": warnings, "exit_code": code,
            }))?;
        } else {
            let good = count(Outcome::Good);
            output::line(&format!("good: {good}, warnings: {warnings}, failed: {failed}"))?;
        }
        Ok(self.exit)
    }
}

/// A text without what a terminal obeys: what the API names, an item's id above all, may hold it.
fn printable(text: &str) -> String {
    text.replace(char::is_control, "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_printed_is_obeyed_by_a_terminal() {
        assert_eq!(
            printable("lugar\u{1b}[2J\r\n\u{9b}m, ñ ✓"),
            "lugar\u{fffd}[2J\u{fffd}\u{fffd}\u{fffd}m, ñ ✓"
        );
    }
}
