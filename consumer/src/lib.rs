#![doc = include_str!("../README.md")]

pub mod cli;
pub mod drain;
pub mod fetch;
pub mod frequent;
pub mod job;
pub mod lanes;
pub mod normalize;
pub mod outage;
pub mod pace;
pub mod persist;
pub mod read;
pub mod session;
pub mod settle;
pub mod tally;
pub mod verdict;
pub mod worker;
