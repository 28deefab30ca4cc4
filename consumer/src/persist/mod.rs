//! The third verb: writes rows in batches. [`Place::write`] returns only when the batch that holds them is committed.

mod batch;
mod upsert;

pub use batch::{Place, Writer};
pub use upsert::{Written, try_rights, upsert};
