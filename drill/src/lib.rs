#![doc = include_str!("../README.md")]

pub mod books;
pub mod cli;
pub mod crew;
pub mod fault;
pub mod journal;
pub mod ledger;
pub mod lookout;
pub mod plan;
pub mod play;
pub mod privacy;
pub mod report;
pub mod rest;
pub mod servers;
pub mod stage;
