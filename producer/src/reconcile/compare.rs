//! The API's list beside the book and what is stored.

use std::collections::HashMap;

use chrono::Utc;
use shared::database::reconciliation::{self, Standing};
use shared::elevenlabs::{ListItem, Page};

use super::{Comparison, Reason, Reconciliation};
use crate::dead;
use crate::discover::Discover;
use crate::publish::Wanted;

/// The class of a call that was given up because it did not finish within a day.
const UNFINISHED: &str = "unfinished";

impl Comparison<'_> {
    /// Asks for what is not in the book, and again for what is stored otherwise; replays what was given up too soon.
    pub(super) async fn compare_with_list(&mut self) -> anyhow::Result<()> {
        let Reconciliation { client, database, broker, agent_id, .. } = self.of;
        #[expect(clippy::disallowed_methods, reason = "the clock is read where the list begins")]
        let begins_at = self.of.begins_at(Utc::now());
        let mut discover = Discover::new(client.clone(), agent_id.cloned(), begins_at, None);
        // As few as there are dead letters of this class in the window.
        let mut finished = Vec::new();
        while let Some(page) = discover.next().await? {
            finished.extend(self.take(page).await?);
            self.go_on()?;
        }
        self.summary.name(Reason::Finished, finished.iter().map(String::as_str));
        let count = if self.run.is_rehearsal() {
            finished.len()
        } else {
            let replayed =
                dead::replay_conversations(broker, database, finished, self.shutdown, self.beat).await?;
            if replayed.is_none() {
                log::warn!(
                    "another verb is at the dead letters: those that have finished are left to the next time"
                );
            }
            usize::try_from(replayed.unwrap_or(0)).unwrap_or(usize::MAX)
        };
        self.summary.count(Reason::Finished, count, 0);
        Ok(())
    }

    /// One page; returns the dead letters that have finished since.
    async fn take(&mut self, page: Page) -> anyhow::Result<Vec<String>> {
        self.summary.listed += page.items.len() as u64;
        self.summary.failed += page.unusable as u64;
        let ids: Vec<String> = page.items.iter().map(|item| item.conversation_id.to_string()).collect();
        let secs = self.of.longest_way();
        let standings = move |connection: &mut _| reconciliation::standings(connection, &ids, secs);
        let standings = self.of.database.run(standings).await?;
        let standings: HashMap<&str, &Standing> =
            standings.iter().map(|standing| (standing.conversation_id.as_str(), standing)).collect();
        let (mut unasked, mut changed, mut finished) = (Vec::new(), Vec::new(), Vec::new());
        for item in page.items {
            let reason =
                standings.get(item.conversation_id.as_str()).and_then(|standing| reason(&item, standing));
            match reason {
                Some(Reason::Unasked) => unasked.push(Wanted::from(item)),
                Some(Reason::Changed) => changed.push(Wanted::from(item)),
                Some(Reason::Finished) => finished.push(item.conversation_id.to_string()),
                Some(Reason::Lost) | None => {}
            }
        }
        for (reason, wanted) in [(Reason::Unasked, unasked), (Reason::Changed, changed)] {
            self.summary.name(reason, wanted.iter().map(|wanted| wanted.conversation_id.as_str()));
            let asked = self.run.ask(&wanted).await?;
            self.summary.count(reason, asked, wanted.len() - asked);
        }
        Ok(finished)
    }
}

/// Why a conversation of the list is to be asked for; `None` when all is as it should be, or somebody's decision.
fn reason(item: &ListItem, standing: &Standing) -> Option<Reason> {
    if standing.is_barred {
        return None;
    }
    if let Some(class) = &standing.dead_class {
        return (class == UNFINISHED && item.status.is_final()).then_some(Reason::Finished);
    }
    if !standing.is_stored {
        // In the book it is on its way, or lost, which is not for the list to say.
        return (!standing.is_booked).then_some(Reason::Unasked);
    }
    (!standing.is_on_its_way && has_changed(item, standing)).then_some(Reason::Changed)
}

/// Whether the list says otherwise than the row, in a way that the row would follow: what a worker would not write, asking
/// again does not mend, and it would be asked for again for ever.
fn has_changed(item: &ListItem, standing: &Standing) -> bool {
    if !item.status.is_final() {
        return false;
    }
    let status = Some(item.status.as_str()) != standing.status.as_deref();
    // Zero never replaces a duration, and no more than a column's worth is stored.
    let duration = item.call_duration_secs.and_then(|secs| i32::try_from(secs).ok()).filter(|&secs| secs > 0);
    let duration = duration.is_some() && duration != standing.duration_secs;
    let successful = match (item.call_successful.as_deref(), standing.call_successful.as_deref()) {
        // What the list says of a call without an analysis.
        (Some("unknown"), None) => false,
        (Some("success" | "failure" | "unknown"), stored) => item.call_successful.as_deref() != stored,
        _ => false,
    };
    status || duration || successful
}

#[cfg(test)]
mod tests {
    use shared::elevenlabs::Status;
    use shared::ids::ConversationId;

    use super::*;

    fn item(status: &str, call_duration_secs: Option<i64>, call_successful: Option<&str>) -> ListItem {
        ListItem {
            conversation_id: ConversationId::parse("conv_1").expect("an id"),
            agent_id: None,
            start: None,
            status: Status::from(status),
            call_duration_secs,
            call_successful: call_successful.map(str::to_owned),
        }
    }

    fn stored(status: &str, duration_secs: Option<i32>, call_successful: Option<&str>) -> Standing {
        Standing {
            is_booked: true,
            is_stored: true,
            status: Some(status.to_owned()),
            duration_secs,
            call_successful: call_successful.map(str::to_owned),
            ..Standing::default()
        }
    }

    #[test]
    fn what_the_list_says_otherwise_and_a_worker_would_write_has_changed() {
        let row = stored("done", Some(95), Some("success"));
        for (status, duration, successful, expected) in [
            ("done", Some(95), Some("success"), false),
            ("failed", Some(95), Some("success"), true),
            ("done", Some(96), Some("success"), true),
            ("done", Some(95), Some("failure"), true),
            ("done", Some(95), Some("unknown"), true),
            // None of these would be written.
            ("processing", Some(96), Some("failure"), false),
            ("needs_review", Some(96), Some("failure"), false),
            ("done", Some(0), None, false),
            ("done", Some(-1), Some("quizás"), false),
            ("done", Some(i64::MAX), Some("success"), false),
            ("done", None, Some("success"), false),
        ] {
            assert_eq!(
                has_changed(&item(status, duration, successful), &row),
                expected,
                "{status} {duration:?}"
            );
        }
        assert!(!has_changed(&item("done", Some(9), Some("unknown")), &stored("done", Some(9), None)));
        assert!(has_changed(&item("done", Some(9), None), &stored("needs_review", Some(9), None)));
    }

    #[test]
    fn every_standing_has_its_answer() {
        let (done, going_on) = (item("done", Some(9), None), item("in-progress", None, None));
        let row = stored("failed", Some(9), None);
        assert_eq!(reason(&done, &Standing::default()), Some(Reason::Unasked));
        assert_eq!(reason(&going_on, &Standing::default()), Some(Reason::Unasked));
        assert_eq!(reason(&done, &Standing { is_booked: true, ..Standing::default() }), None);
        assert_eq!(reason(&done, &row), Some(Reason::Changed));
        assert_eq!(reason(&done, &Standing { is_on_its_way: true, ..row.clone() }), None);
        assert_eq!(reason(&done, &Standing { is_barred: true, ..row }), None);
        let dead = |class: &str| Standing {
            is_booked: true,
            dead_class: Some(class.to_owned()),
            ..Standing::default()
        };
        assert_eq!(reason(&done, &dead("unfinished")), Some(Reason::Finished));
        assert_eq!(reason(&going_on, &dead("unfinished")), None);
        assert_eq!(reason(&done, &dead("not_found")), None);
        assert_eq!(reason(&done, &Standing { is_barred: true, ..dead("unfinished") }), None);
    }
}
