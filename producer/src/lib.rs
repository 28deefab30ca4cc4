#![doc = include_str!("../README.md")]

pub mod backfill;
pub mod check;
pub mod cli;
pub mod dead;
mod discover;
mod history;
pub mod lease;
pub mod migrate;
pub mod open;
pub mod output;
mod period;
mod publish;
pub mod reconcile;
mod records;
mod run;
pub mod status;
pub mod sync;
pub mod watch;
