//! What private data was planted, for tests that search where it must not be.

use crate::call::Private;
use crate::call::exchange::Exchange;
use crate::simulator::Simulator;

/// What is said of telephone numbers in one call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Planted {
    /// The caller's national number, ten digits, where a field of the call tells it.
    pub line: Option<String>,
    /// The names of the [forms](crate::voice::FORMS) in which messages, the summary and collected values tell it.
    pub forms: Vec<&'static str>,
    /// Texts of messages and of the summary that tell the line, its end, or an address of the caller.
    pub told: Vec<String>,
    /// Parts of messages with digits of others, sums, dates: they must stay as they are.
    pub kept: Vec<String>,
    /// Another's number, which stands also in the summary and among the collected values.
    pub stranger: Option<String>,
}

impl Simulator {
    /// Every private string: invented, and unique enough that a search for it hits nothing else.
    ///
    /// [`caller_numbers`](Self::caller_numbers) and [`user_ids`](Self::user_ids) are among them, and may stand in
    /// messages, summaries and collected values; none of the others ever does.
    #[must_use]
    pub fn canaries(&self) -> Vec<String> {
        let count = self.world().index().len();
        let of_calls = (0..count)
            .flat_map(|number| self.world().with_call(number, |call| Private::new(call).into_strings()));
        let of_agents = self.world().agents.iter().map(|agent| agent.creator_email.clone());
        of_agents.chain(of_calls).chain(self.caller_numbers()).chain(self.user_ids()).collect()
    }

    /// What is said of telephone numbers in this call, if there is such a call. Only its line is told of a call whose
    /// transcript is gone, still to come, or written by hand.
    #[must_use]
    pub fn planted(&self, conversation_id: &str) -> Option<Planted> {
        let number = self.world().index().number(conversation_id)?;
        let is_whole = self.world().is_whole(number);
        self.world().with_call(number, |call| {
            let exchange = if is_whole { Exchange::of(call) } else { Exchange::default() };
            Some(Planted {
                line: call.line(),
                forms: exchange.forms,
                told: exchange.told,
                kept: exchange.kept,
                stranger: exchange
                    .stranger
                    .filter(|_| exchange.in_summary.is_some())
                    .map(|stranger| stranger.kept),
            })
        })
    }

    /// The callers' national numbers, ten digits each, of those that a field of their call tells.
    ///
    /// They stand in the metadata, written in several ways, and in some calls also in messages, summaries and
    /// collected values, where a consumer has to mask them.
    #[must_use]
    pub fn caller_numbers(&self) -> Vec<String> {
        let count = self.world().index().len();
        #[expect(
            clippy::redundant_closure_for_method_calls,
            reason = "the method itself is of one lifetime only"
        )]
        let lines = (0..count).filter_map(|number| self.world().with_call(number, |call| call.line()));
        let mut numbers: Vec<String> = lines.collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    /// The ids of users that are no phone numbers: opaque ids and e-mail addresses.
    ///
    /// In a few calls the agent reads one aloud, so a consumer has to mask these too.
    #[must_use]
    pub fn user_ids(&self) -> Vec<String> {
        let count = self.world().index().len();
        (0..count)
            .filter_map(|number| {
                let is_no_number =
                    |user_id: &String| user_id.starts_with(|first: char| first.is_ascii_lowercase());
                self.world().with_call(number, |call| call.user_id().filter(is_no_number))
            })
            .collect()
    }
}
