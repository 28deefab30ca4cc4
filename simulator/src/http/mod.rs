//! The HTTP side: what arrives, in which order it is checked, and how answers are written.

mod agents;
pub(crate) mod app;
mod control;
mod conversations;
pub(crate) mod gate;
mod problem;
mod query;
mod reply;
pub(crate) mod wire;
