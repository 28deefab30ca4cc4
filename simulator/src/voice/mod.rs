//! How people say telephone numbers, and what else with digits in it stands beside them.

mod forms;
mod mix;
mod words;

pub use forms::{FORMS, Form};
pub use mix::any;
