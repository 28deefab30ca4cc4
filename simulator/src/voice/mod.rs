//! How people say telephone numbers, and what else with digits in it stands beside them.

mod forms;
mod mix;
mod others;
mod words;

pub use forms::{FORMS, Form};
pub use mix::any;
pub use others::{KINDS, Other, other};

/// Each digit a word.
pub(crate) fn in_words(digits: &str) -> String {
    words::one_by_one(digits, " ")
}
