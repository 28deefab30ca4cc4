//! The part of a call in which its caller dictates a telephone number, the agent repeats it, and other numbers are told.

use super::{Call, Kind, Source};
use crate::dice;
use crate::voice::{FORMS, Form, KINDS, Other, any, in_words, other};

/// The position of the first turn: the agent's question.
const BEGINS: usize = 4;

const LEADS: &[&str] = &[
    "Mi número es el ",
    "Sí, anote: ",
    "Es el ",
    "Claro, me puede marcar al ",
    "Apunte por favor, ",
    "Mi celular, ",
    "",
];

const PROMPTS: &[&str] = &[
    "Sí, le escucho.",
    "¿Me repite?",
    "Ajá.",
    "Continúe, por favor.",
    "Sí, dígame.",
    "Un momento… ya, siga.",
];

/// Such a part. An empty one has no turns.
#[derive(Debug, Default)]
pub(crate) struct Exchange {
    turns: Vec<String>,
    /// The forms in which the line is told.
    pub(crate) forms: Vec<&'static str>,
    /// Texts that tell the line, or the end of it.
    pub(crate) told: Vec<String>,
    /// Parts of turns that must stay as they are.
    pub(crate) kept: Vec<String>,
    /// The line in words for the summary, and for the collected items.
    pub(crate) in_summary: Option<String>,
    pub(crate) in_items: Option<String>,
    /// Another's number, for the same two.
    pub(crate) stranger: Option<Other>,
}

impl Exchange {
    /// The exchange of this call; an empty one where there is none.
    pub(crate) fn of(call: &Call<'_>) -> Self {
        let has_exchange = call.every(4, 2) && call.is_phone() || call.source_of_line() == Source::WhatsApp;
        if !has_exchange || !matches!(call.kind, Kind::Typical | Kind::Huge) || call.spoken < 9 {
            return Self::default();
        }
        let mut exchange = Self::default();
        match call.line() {
            Some(line) => exchange.tell(call, &line),
            None => exchange.withhold(call),
        }
        exchange
    }

    /// The text of the turn at a position of the call.
    pub(crate) fn turn(&self, position: u32) -> Option<&str> {
        let place = (position as usize).checked_sub(BEGINS)?;
        self.turns.get(place).map(String::as_str)
    }

    fn tell(&mut self, call: &Call<'_>, line: &str) {
        let rank = rank(call);
        let mut rng = call.rng("exchange");
        // the question, each piece and what the agent says to it, the others, and the farewell's two
        let room = (call.spoken as usize - BEGINS - 4) / 2;
        let mut pieces = self.form(call, 0).say(line, call.key);
        if pieces.len() > room {
            pieces = vec![pieces.join(", ")];
        }
        let has_stranger_first = rank.is_multiple_of(3);
        let lead = if has_stranger_first {
            let sentence = self.keep(other(line, rank, call.key));
            format!("{sentence} Y mi número es el ")
        } else {
            dice::pick(&mut rng, LEADS).to_owned()
        };
        if let [whole] = pieces.as_slice() {
            self.told.push(whole.clone());
        }
        self.turns.push("¿Me da un número para comunicarnos con usted?".to_owned());
        for (place, piece) in pieces.iter().enumerate() {
            self.turns.push(if place == 0 { format!("{lead}{piece}") } else { piece.clone() });
            if place + 1 < pieces.len() {
                let is_repeated = rank % 4 == 1;
                let prompt = dice::pick(&mut rng, PROMPTS);
                self.turns.push(if is_repeated { format!("{piece}, sí.") } else { prompt.to_owned() });
            }
        }
        let echo = self.echo(call, line);
        self.turns.push(echo);
        self.tell_others(call, line);
        self.in_summary = Some(self.form(call, 1).say(line, call.key).join(" "));
        self.in_items = Some(self.form(call, 2).say(line, call.key).join(" "));
        self.told.extend(self.in_summary.clone());
    }

    /// The next form in turn, of three for each call.
    fn form(&mut self, call: &Call<'_>, place: u64) -> &'static Form {
        let forms = FORMS.len() as u64;
        let next = (3 * (rank(call) % forms) + place + call.seed % forms) % forms;
        let form = &FORMS[usize::try_from(next).expect("there are few forms")];
        self.forms.push(form.name);
        form
    }

    /// The agent repeats the line, its end, or nothing.
    fn echo(&mut self, call: &Call<'_>, line: &str) -> String {
        let end = &line[6..];
        let told = match rank(call) / 2 % 5 {
            0 => any(line, call.key).join(", "),
            1 => format!("termina en {end}"),
            2 => format!("termina en {}", in_words(end)),
            3 => format!("los últimos cuatro son {end}"),
            _ => return "Gracias, ya lo anoté.".to_owned(),
        };
        self.told.push(told.clone());
        format!("Le confirmo: {told}. ¿Es correcto?")
    }

    /// The caller tells other numbers, and where to write.
    fn tell_others(&mut self, call: &Call<'_>, line: &str) {
        let rank = rank(call);
        let stranger = other(line, rank % 3, call.key);
        let mut sentences = vec!["Así es.".to_owned(), self.keep(stranger.clone())];
        for kind in [4 + rank % (KINDS - 4), 4 + (rank + 5) % (KINDS - 4)] {
            sentences.push(self.keep(other(line, kind, call.key)));
        }
        if let Some((name, host)) = call.user_id().as_deref().and_then(|user_id| user_id.split_once('@')) {
            let spoken = format!("{} arroba {}", name.replace('.', " punto "), host.replace('.', " punto "));
            sentences.push(format!("Mi correo es {spoken}."));
            self.told.push(spoken);
        }
        self.turns.push(sentences.join(" "));
        self.stranger = Some(stranger);
    }

    /// A caller whose number is known nowhere tells only those of others.
    fn withhold(&mut self, call: &Call<'_>) {
        self.turns.push("Veo que su número es privado; no tiene que dármelo.".to_owned());
        let told = (0..4).map(|place| other(&call.caller.to_string(), rank(call) + 5 * place, call.key));
        let sentences: Vec<String> = told.map(|other| self.keep(other)).collect();
        self.turns.push(sentences.join(" "));
    }

    fn keep(&mut self, other: Other) -> String {
        self.kept.push(other.kept);
        other.sentence
    }
}

/// The how-manieth such call it is, about.
fn rank(call: &Call<'_>) -> u64 {
    u64::from(call.number / 4)
}
