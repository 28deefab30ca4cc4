//! What private data was planted, for tests that search where it must not be.

use crate::call::Private;
use crate::simulator::Simulator;

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

    /// The callers' national numbers, ten digits each.
    ///
    /// They stand in the metadata, written in several ways, and in some calls also in messages, summaries and
    /// collected values, where a consumer has to mask them.
    #[must_use]
    pub fn caller_numbers(&self) -> Vec<String> {
        let count = self.world().index().len();
        let mut numbers: Vec<String> = (0..count)
            .filter_map(|number| {
                self.world().with_call(number, |call| call.is_phone().then(|| call.caller.to_string()))
            })
            .collect();
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
