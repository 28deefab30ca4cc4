#![doc = include_str!("../README.md")]

pub mod check;
pub mod cli;
pub mod dead;
pub mod lease;
pub mod migrate;
pub mod open;
pub mod output;
mod records;
pub mod status;
pub mod sync;
pub mod watch;
