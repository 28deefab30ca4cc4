//! Bodies of the API, written with structs and values of this crate only.

pub(crate) mod agent;
mod analysis;
mod collected;
pub(crate) mod detail;
mod initiation;
mod metadata;
pub(crate) mod summary;
mod tools;
mod turn;
