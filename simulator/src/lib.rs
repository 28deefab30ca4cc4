#![doc = include_str!("../README.md")]

mod agents;
mod body;
mod call;
mod condition;
mod dice;
mod faults;
mod http;
mod ids;
mod index;
mod kept;
mod knobs;
mod planted;
mod served;
mod settings;
mod simulator;
mod units;
pub mod voice;
mod world;

pub use faults::Faults;
pub use planted::Planted;
pub use served::Served;
pub use settings::Settings;
pub use simulator::Simulator;
