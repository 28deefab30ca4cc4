//! One call, drawn from the seed and its number: cheap facts first, words only when asked for.

pub(crate) mod exchange;
mod line;
mod phrases;
pub(crate) mod private;
mod slots;
pub(crate) mod turns;

use rand::RngExt;
use rand::rngs::Xoshiro256PlusPlus;

use crate::agents::Agent;
use crate::dice;
pub(crate) use line::Source;
pub(crate) use phrases::Story;
pub(crate) use private::Private;
pub(crate) use slots::Slots;

/// How a call went, as a shape of its record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Typical,
    /// Two hundred kilobytes.
    Huge,
    /// The caller hung up at the greeting: zero seconds.
    HungUp,
    /// Done, without a word.
    Silent,
    /// Never connected.
    Failed,
}

/// How the call came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Channel {
    Sip,
    Twilio,
    Exotel,
    Widget,
    WhatsApp,
}

/// The facts of a call.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) seed: u64,
    pub(crate) number: u32,
    pub(crate) key: u64,
    pub(crate) start: i64,
    pub(crate) agent: &'a Agent,
    pub(crate) kind: Kind,
    pub(crate) channel: Channel,
    pub(crate) story: &'static Story,
    /// Turns with text.
    pub(crate) spoken: u32,
    pub(crate) duration: u32,
    /// `success`, `failure` or `unknown`.
    pub(crate) success: &'static str,
    /// The caller's national number, ten digits.
    pub(crate) caller: u64,
}

/// One conversation in so many is nobody's call.
const NOBODYS_EVERY: u32 = 61;

/// Whether a conversation is nobody's call. By number, so that a few dozen calls are all somebody's.
pub(crate) fn is_nobodys(number: u32) -> bool {
    number % NOBODYS_EVERY == 47
}

impl<'a> Call<'a> {
    /// The call of this number; `key` is the one its id was written from.
    pub(crate) fn new(seed: u64, number: u32, key: u64, start: i64, agent: &'a Agent) -> Self {
        let mut rng = dice::rng(seed, "call", number.into());
        let kind = kind(number);
        let spoken = spoken(kind, &mut rng);
        let duration = match kind {
            Kind::Typical | Kind::Huge => spoken * rng.random_range(6..11),
            Kind::HungUp | Kind::Silent | Kind::Failed => 0,
        };
        let success = match (kind, rng.random_range(0..10)) {
            (Kind::Typical | Kind::Huge, 0..7) => "success",
            (Kind::Typical | Kind::Huge, 7..9) | (Kind::HungUp, _) => "failure",
            _ => "unknown",
        };
        let channel = match number % 10 {
            0..4 => Channel::Sip,
            4..7 => Channel::Twilio,
            7 => Channel::Exotel,
            8 => Channel::Widget,
            _ => Channel::WhatsApp,
        };
        let story = &phrases::STORIES[rng.random_range(0..phrases::STORIES.len())];
        let caller = caller(seed, number);
        Self { seed, number, key, start, agent, kind, channel, story, spoken, duration, success, caller }
    }

    /// Does every n-th call have this trait? By number, so that even a few hundred calls show every trait.
    pub(crate) fn every(&self, n: u32, remainder: u32) -> bool {
        self.number % n == remainder
    }

    /// A generator for one part of this call.
    pub(crate) fn rng(&self, part: &str) -> Xoshiro256PlusPlus {
        dice::rng(self.seed, part, self.number.into())
    }

    /// Did the call come over a telephone line?
    pub(crate) fn is_phone(&self) -> bool {
        matches!(self.channel, Channel::Sip | Channel::Twilio | Channel::Exotel)
    }

    /// The id the client gave the user: a phone number, an opaque id, an e-mail address or nothing.
    pub(crate) fn user_id(&self) -> Option<String> {
        let token = private::token(self.seed, self.number, "user");
        match self.number % 5 {
            0 if self.is_reported() => Some(self.external_number()),
            1 => Some(format!("usr_{token}")),
            2 => Some(format!("zutano.{token}@correo.example")),
            4 if self.is_reported() => Some(format!("52{}", self.caller)),
            _ => None,
        }
    }

    /// Seconds into the call at which the spoken turn of this position begins.
    pub(crate) fn time_of(&self, position: u32) -> u32 {
        (position * self.duration).checked_div(self.spoken).unwrap_or(0)
    }

    /// Free text; where a call was transferred, it names a person.
    pub(crate) fn termination_reason(&self) -> String {
        match (self.kind, self.number % 6) {
            (Kind::Failed, _) => "",
            (Kind::HungUp | Kind::Silent, _) => "Client disconnected: 1000",
            _ if self.every(17, 9) => return format!("Transferred to {}", private::transferred_to(self)),
            (_, 0 | 1) => "end_call tool was called.",
            (_, 2) => "Conversation duration limit reached.",
            _ => "Call ended by remote party",
        }
        .to_owned()
    }

    /// Is this one of the newest records, which write even the rarest fields?
    pub(crate) fn is_full(&self) -> bool {
        self.every(8, 0) || self.kind == Kind::Huge
    }

    /// Where it began, in the platform's word.
    pub(crate) fn source(&self) -> &'static str {
        /// What is nobody's call: an agent asks another, a template is looked at.
        const NOBODYS: [&str; 2] = ["subagent_tool", "template_preview"];
        if is_nobodys(self.number) {
            return NOBODYS[(self.number / NOBODYS_EVERY) as usize % NOBODYS.len()];
        }
        match self.channel {
            Channel::Sip => "sip_trunk",
            Channel::Twilio => "twilio",
            Channel::Exotel => "exotel",
            Channel::Widget => "widget",
            Channel::WhatsApp => "whatsapp",
        }
    }

    /// The same, or a word that nobody has heard of where a call is odd; what is nobody's call stays that.
    pub(crate) fn source_word(&self, is_odd: bool) -> &'static str {
        if is_odd && !is_nobodys(self.number) { "zendesk_voice" } else { self.source() }
    }

    /// One call in fifteen went out from the line, as part of a batch.
    pub(crate) fn direction(&self) -> &'static str {
        if self.is_phone() && self.every(15, 4) { "outbound" } else { "inbound" }
    }

    pub(crate) fn language(&self) -> Option<&'static str> {
        match (self.kind, self.number % 40) {
            (Kind::Failed | Kind::Silent, _) => None,
            (_, 13) => Some("en"),
            (_, 27) => Some("nah"),
            _ => Some("es"),
        }
    }

    pub(crate) fn has_transcript(&self) -> bool {
        self.spoken > 0
    }
}

fn kind(number: u32) -> Kind {
    match number % 200 {
        17 => Kind::Huge,
        5 | 39 | 77 | 121 | 160 => Kind::HungUp,
        44 | 98 | 144 => Kind::Silent,
        23 | 67 | 90 | 111 | 150 | 187 => Kind::Failed,
        _ => Kind::Typical,
    }
}

fn spoken(kind: Kind, rng: &mut Xoshiro256PlusPlus) -> u32 {
    match kind {
        // one in twenty is short: a question, an answer, goodbye
        Kind::Typical if rng.random_ratio(1, 20) => rng.random_range(2..6),
        Kind::Typical => rng.random_range(9..18),
        Kind::Huge => rng.random_range(170..190),
        Kind::HungUp => 1,
        Kind::Silent | Kind::Failed => 0,
    }
}

/// An invented number of Mexico City, Guadalajara or Monterrey; one caller in seven calls twice.
fn caller(seed: u64, number: u32) -> u64 {
    let number = if number % 7 == 3 { number - 1 } else { number };
    let mut rng = dice::rng(seed, "caller", number.into());
    let area = [55, 33, 81][rng.random_range(0..3)];
    area * 100_000_000 + 50_000_000 + rng.random_range(0..10_000_000)
}
