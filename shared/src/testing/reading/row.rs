//! The check of a stored call: its row and its report, against what was said in it.

use serde_json::Value;

use super::tells_line;

/// The columns that hold what a call says. The others are of instants, keys and counts.
const SAID: [&str; 11] = [
    "transcripcion",
    "resumen",
    "datos",
    "evaluacion",
    "estado",
    "idioma",
    "exito",
    "id_extorsion",
    "modo",
    "tiempo",
    "lugar",
];

/// What was said in a call.
#[derive(Clone, Copy, Debug, Default)]
pub struct Said<'a> {
    /// The caller's national number, where the call tells it.
    pub line: Option<&'a str>,
    /// Texts that tell it.
    pub told: &'a [String],
    /// Parts of turns that are not masked.
    pub kept: &'a [String],
    /// Another's number, which stands in the summary and in the collected items as well.
    pub stranger: Option<&'a str>,
}

impl Said<'_> {
    /// Names what is wrong with a row of `conversaciones` with its report, as an object: the columns that still tell the
    /// line, and what is gone that should have stayed.
    #[must_use]
    pub fn wrong_in(&self, row: &Value) -> Vec<String> {
        let text = |column: &str| match &row[column] {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let mut wrong = Vec::new();
        for column in SAID {
            let text = text(column);
            if self.line.is_some_and(|line| tells_line(&text, line)) {
                wrong.push(format!("{column} tells the line"));
            } else if self.told.iter().any(|told| text.contains(told.as_str())) {
                wrong.push(format!("{column} tells the line's end, or the caller's address"));
            }
        }
        let stranger = self.stranger.into_iter();
        let kept = self.kept.iter().map(|kept| ("transcripcion", kept.as_str()));
        for (column, kept) in
            kept.chain(stranger.flat_map(|stranger| [("resumen", stranger), ("datos", stranger)]))
        {
            if !text(column).contains(kept) {
                wrong.push(format!("{column} has lost {kept:?}"));
            }
        }
        wrong
    }
}
