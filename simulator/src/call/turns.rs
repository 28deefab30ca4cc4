//! The conversation of a call, turn by turn.

use std::borrow::Cow;

use super::exchange::Exchange;
use super::{Call, Kind, Slots, phrases};

/// One turn.
#[derive(Debug)]
pub(crate) struct Turn {
    pub(crate) is_agent: bool,
    /// Absent on turns that only call a tool.
    pub(crate) message: Option<Cow<'static, str>>,
    pub(crate) time: u32,
    pub(crate) tool: Option<Tool>,
    pub(crate) is_interrupted: bool,
}

/// What a turn's tool was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tool {
    /// Our own webhook: looks up a report.
    Webhook,
    /// The platform's: ends the call.
    EndCall,
    /// One in the caller's client.
    Client,
}

/// All turns of a call; those with text are as many as [`Call::spoken`] says.
pub(crate) fn turns(call: &Call<'_>, slots: &Slots, exchange: &Exchange) -> Vec<Turn> {
    let mut turns = Vec::with_capacity(call.spoken as usize + 4);
    for position in 0..call.spoken {
        if let Some(tool) = tool_before(call, position) {
            turns.push(Turn {
                is_agent: true,
                message: None,
                time: call.time_of(position),
                tool: Some(tool),
                is_interrupted: false,
            });
        }
        let is_agent = position.is_multiple_of(2);
        turns.push(Turn {
            is_agent,
            message: Some(match exchange.turn(position) {
                Some(text) => Cow::Owned(text.to_owned()),
                None => message(call, slots, position),
            }),
            time: call.time_of(position),
            tool: None,
            is_interrupted: is_agent && position > 0 && (position + call.number) % 11 == 3,
        });
    }
    if call.spoken > 1 && call.termination_reason().starts_with("end_call") {
        turns.push(Turn {
            is_agent: true,
            message: None,
            time: call.duration,
            tool: Some(Tool::EndCall),
            is_interrupted: false,
        });
    }
    turns
}

/// Tools are called before some of the agent's turns: by one call in three, all the time by the huge ones.
fn tool_before(call: &Call<'_>, position: u32) -> Option<Tool> {
    if call.kind == Kind::Huge {
        return (position % 6 == 4).then_some(Tool::Webhook);
    }
    match position {
        4 if call.every(3, 0) => Some(Tool::Webhook),
        6 if call.every(8, 1) => Some(Tool::Client),
        _ => None,
    }
}

fn message(call: &Call<'_>, slots: &Slots, position: u32) -> Cow<'static, str> {
    let step = ((position - position % 2) / 2) as usize;
    if position.is_multiple_of(2) {
        match position {
            0 => Cow::Borrowed(phrases::GREETING),
            _ if position + 2 >= call.spoken && call.spoken > 3 => Cow::Borrowed(phrases::FAREWELL),
            4 if call.is_reading_number() => Cow::Owned(format!(
                "Le confirmo el número del que me llama: {}. ¿Es correcto?",
                spoken_number(call)
            )),
            6 if call.every(29, 11) => match call.user_id() {
                Some(user_id) => Cow::Owned(format!("Su clave de usuario es {user_id}, guárdela por favor.")),
                None => Cow::Borrowed(phrases::ASIDES[0]),
            },
            _ if step % 5 == 4 => {
                filled(slots, phrases::ASIDES[(step + call.number as usize) % phrases::ASIDES.len()])
            }
            _ => filled(slots, question(call, step).0),
        }
    } else {
        match position {
            1 => filled(slots, call.story.opening),
            5 if call.is_reading_number() => Cow::Borrowed("Sí, ese es mi número, señorita."),
            3 if call.every(97, 4) => Cow::Borrowed("¿Bueno?\u{0} ¿Me escucha? Se corta\u{0} la llamada."),
            _ if step % 3 == 1 => filled(slots, call.story.told[(step / 3) % call.story.told.len()]),
            _ => filled(slots, question(call, step).1),
        }
    }
}

fn question(call: &Call<'_>, step: usize) -> &'static (&'static str, &'static str) {
    &phrases::QUESTIONS[(step + call.number as usize) % phrases::QUESTIONS.len()]
}

fn filled(slots: &Slots, template: &'static str) -> Cow<'static, str> {
    if template.contains('{') { Cow::Owned(slots.fill(template)) } else { Cow::Borrowed(template) }
}

impl Call<'_> {
    /// In these calls the agent reads the caller's own number aloud.
    pub(crate) fn is_reading_number(&self) -> bool {
        self.is_phone() && self.every(6, 1) && self.spoken > 6
    }
}

/// The caller's number as an agent may say it.
pub(crate) fn spoken_number(call: &Call<'_>) -> String {
    let n = call.caller.to_string();
    match call.number / 6 % 6 {
        0 => format!("{} {} {}", &n[..2], &n[2..6], &n[6..]),
        1 => format!("({}) {}-{}", &n[..2], &n[2..6], &n[6..]),
        2 => format!("+52 1 {} {} {} {} {}", &n[..2], &n[2..4], &n[4..6], &n[6..8], &n[8..]),
        3 => n,
        4 => format!("{}-{}-{}", &n[..2], &n[2..6], &n[6..]),
        _ => format!("+52{n}"),
    }
}
