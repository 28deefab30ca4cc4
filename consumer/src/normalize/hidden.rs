//! Which identifiers of a caller were hidden in a call: to be told apart from others, never to be kept.

use std::fmt;

use super::search::Own;

/// Identifiers of one call that stood in its texts, each once. It prints nothing and cannot be serialized.
#[derive(Default)]
pub struct Hidden(Vec<Identifier>);

/// One of them, which can be hashed and compared, and nothing else.
#[derive(Eq, Hash, PartialEq)]
pub struct Identifier(Form);

#[derive(Eq, Hash, PartialEq)]
enum Form {
    Number(Vec<u8>),
    Literal(Vec<String>),
}

impl Hidden {
    /// The identifiers, each once.
    pub fn iter(&self) -> impl Iterator<Item = &Identifier> {
        self.0.iter()
    }

    pub(super) fn add(&mut self, own: Own) {
        let identifier = Identifier(match own {
            Own::Number(number) => Form::Number(number.core.to_vec()),
            Own::Literal(literal) => Form::Literal(literal.words.clone()),
        });
        if !self.0.contains(&identifier) {
            self.0.push(identifier);
        }
    }
}

impl Identifier {
    /// Kind of it, in a word for people.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self.0 {
            Form::Number(_) => "number",
            Form::Literal(_) => "name or address",
        }
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Hidden(..)")
    }
}

impl fmt::Debug for Identifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Identifier(..)")
    }
}
