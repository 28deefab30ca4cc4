//! What a story's gaps are filled with: places, sums, names of shops; never a person's data.

use std::fmt::Write as _;

use rand::RngExt;

use super::phrases::{APPS, PLACES, SHOPS, TIMES};
use super::{Call, phrases};
use crate::dice;

/// The fillings of one call.
#[derive(Debug)]
pub(crate) struct Slots {
    pub(crate) place: &'static str,
    pub(crate) shop: &'static str,
    pub(crate) app: &'static str,
    pub(crate) time: &'static str,
    pub(crate) amount: u32,
    pub(crate) calls: u32,
    pub(crate) account: &'static str,
}

impl Slots {
    pub(crate) fn new(call: &Call<'_>) -> Self {
        let mut rng = call.rng("slots");
        Self {
            place: dice::pick(&mut rng, PLACES),
            shop: dice::pick(&mut rng, SHOPS),
            app: dice::pick(&mut rng, APPS),
            time: dice::pick(&mut rng, TIMES),
            amount: rng.random_range(2..120) * 500,
            calls: rng.random_range(1..40),
            account: dice::pick(&mut rng, phrases::ACCOUNTS),
        }
    }

    /// `template` with its gaps filled.
    pub(crate) fn fill(&self, template: &str) -> String {
        let mut text = String::with_capacity(template.len() + 32);
        let mut rest = template;
        while let Some((before, gap_and_after)) = rest.split_once('{') {
            text.push_str(before);
            let (gap, after) = gap_and_after.split_once('}').unwrap_or((gap_and_after, ""));
            match gap {
                "lugar" => text.push_str(self.place),
                "negocio" => text.push_str(self.shop),
                "app" => text.push_str(self.app),
                "tiempo" => text.push_str(self.time),
                "cuenta" => text.push_str(self.account),
                "monto" => write!(text, "{}", self.amount).expect("writing to a String cannot fail"),
                "llamadas" => write!(text, "{}", self.calls).expect("writing to a String cannot fail"),
                other => unreachable!("no story has a gap {other:?}"),
            }
            rest = after;
        }
        text.push_str(rest);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agents::Agent;

    #[test]
    fn every_gap_of_every_story_has_a_filling() {
        let agent = Agent::new(7, 0, 1, 0);
        let call = Call::new(7, 1, 1, 0, &agent);
        let slots = Slots::new(&call);
        for story in phrases::STORIES {
            for text in story.told.iter().chain([&story.opening, &story.title, &story.summary]) {
                assert!(!slots.fill(text).contains('{'), "{text}");
            }
        }
        for (question, answer) in phrases::QUESTIONS {
            slots.fill(question);
            slots.fill(answer);
        }
    }
}
