//! The agents of the line.

use crate::{dice, ids};

/// One agent.
#[derive(Debug)]
pub(crate) struct Agent {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) number: u32,
    pub(crate) created: i64,
    /// Its conversations are still listed, itself it is gone.
    pub(crate) is_deleted: bool,
    /// A private string: who made the agent.
    pub(crate) creator_email: String,
}

const NAMES: &[&str] = &[
    "Línea 089 Denuncia Anónima",
    "089 Extorsión Telefónica",
    "Operadora Virtual Nocturna",
    "089 Montadeudas",
    "Seguimiento de Reportes 089",
];

impl Agent {
    /// The agent of this number, of `count`; `newest` is the newest start of a call.
    pub(crate) fn new(seed: u64, number: u32, count: u32, newest: i64) -> Self {
        let key = dice::draw(seed, "agent", number.into());
        // agents made years ago kept their ids of 20 characters
        let id = if number % 4 == 1 { ids::write_old(key) } else { ids::write("agent_", key) };
        let name = NAMES[number as usize % NAMES.len()];
        let name = match number as usize / NAMES.len() {
            0 => name.to_owned(),
            round => format!("{name} {}", round + 1),
        };
        let age = i64::from(number + 1) * 30 * 24 * 3600;
        let creator_email = format!("zutana.{:012x}@correo.example", key >> 16);
        let is_deleted = count > 1 && number + 1 == count;
        Self { id, name, number, created: newest - 400 * 24 * 3600 + age, is_deleted, creator_email }
    }

    /// Some agents were configured with `forma`, the others with `modo`.
    pub(crate) fn manner_item(&self) -> &'static str {
        if self.number.is_multiple_of(2) { "forma" } else { "modo" }
    }

    pub(crate) fn version_id(&self) -> String {
        ids::write("agtvrsn_", dice::draw(u64::from(self.number), "version", 0))
    }

    pub(crate) fn branch_id(&self) -> String {
        ids::write("agtbranch_", dice::draw(u64::from(self.number), "branch", 0))
    }
}
