//! What is kept: the pool, the schema and its migrations, the rows of a call, and the book.
//!
//! Synchronous diesel meets asynchronous code in one function, [`Database::run`].

pub mod book;
mod budget;
pub mod dead_letters;
mod error;
mod fitness;
mod migrate;
pub(crate) mod migrations;
mod pool;
pub mod reconciliation;
mod roles;
pub mod rows;
#[rustfmt::skip]
#[expect(clippy::doc_markdown, reason = "the tables' own comments, in Spanish")]
pub mod schema;
mod statement;

pub use budget::RateBudget;
pub use error::DatabaseError;
pub use fitness::{Misfit, misfits};
pub use migrate::{SchemaError, check_schema, migrate, once_granted, wait_for_schema};
pub use pool::Database;
pub use statement::Statement;
