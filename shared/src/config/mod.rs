//! The environment, read once: one section, one prefix, one file each. Everything that is wrong is reported at once, each
//! problem with its variable and the remedy, and never with the value.

mod amqp;
mod database;
mod dotenv;
mod elevenlabs;
mod instant;
mod names;
mod reconcile;
mod report;
mod section;
mod sync;
mod worker;

use std::collections::BTreeMap;
use std::fmt;
use std::io::ErrorKind;

pub use amqp::AmqpConfig;
pub use database::DatabaseConfig;
pub use elevenlabs::{ElevenLabsConfig, KeySource};
pub use instant::{day_end, day_start};
pub use reconcile::ReconcileConfig;
pub use report::{DataItems, ReportConfig, ReportItems};
pub use section::Section;
pub use sync::SyncConfig;
pub use worker::WorkerConfig;

/// In the working folder.
const FILE: &str = ".env";

/// The variables of this process, and those of a `.env` file in the working folder, which never override them.
#[derive(Clone, Debug, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// Reads the process's variables and `.env`.
    ///
    /// # Errors
    /// [`Problems`] when `.env` is there and cannot be read, has a line that is not of the form `NAME=value`, or when a
    /// variable of ours is no UTF-8.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    pub fn load() -> Result<Self, Problems> {
        let mut problems = Problems::default();
        let mut variables = Self::default();
        match std::fs::read(FILE).map(|bytes| dotenv::parse(&bytes)) {
            Ok(Ok(lines)) => variables.extend(lines),
            Ok(Err(reasons)) => reasons.iter().for_each(|reason| problems.push(FILE, reason)),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(_) => problems.push(FILE, "is there and cannot be read: check its rights"),
        }
        let set = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
        variables.extend(set.filter_map(|(name, value)| match value.into_string() {
            Ok(value) => Some((name, value)),
            // One that counted as not set would be another setting than the one that was meant.
            Err(_) if names::is_ours(&name) => {
                problems.push(&name, "is no UTF-8");
                None
            }
            Err(_) => None,
        }));
        if problems.0.is_empty() { Ok(variables) } else { Err(problems) }
    }

    /// An environment of these variables.
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut variables = Self::default();
        variables.extend(pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())));
        variables
    }

    /// Adds variables but those that a container's surroundings have set for their own sake.
    fn extend(&mut self, variables: impl IntoIterator<Item = (String, String)>) {
        self.0.extend(variables.into_iter().filter(|(name, value)| !names::is_injected(name, value)));
    }

    /// The names of those that are set.
    fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str).filter(|name| self.value(name).is_some())
    }

    /// The value of a variable; an empty one counts as not set, as compose files and `.env` files write it.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).map(str::trim).filter(|value| !value.is_empty())
    }

    /// Reads the sections that a verb needs, all of them before it complains.
    ///
    /// # Errors
    /// [`Problems`] with everything that is wrong in any of them.
    pub fn read<T: FromEnvironment>(&self) -> Result<T, Problems> {
        let mut problems = Problems::default();
        match T::from_environment(self, &mut problems) {
            Some(sections) if problems.0.is_empty() => Ok(sections),
            _ => Err(problems),
        }
    }
}

/// A section of the configuration, or several.
pub trait FromEnvironment: Sized {
    /// Reads it; `None` when it cannot be made, with the reasons among the problems.
    fn from_environment(environment: &Environment, problems: &mut Problems) -> Option<Self>;
}

macro_rules! sections {
    ($($name:ident)+) => {
        impl<$($name: FromEnvironment),+> FromEnvironment for ($($name,)+) {
            fn from_environment(environment: &Environment, problems: &mut Problems) -> Option<Self> {
                // All are read before any is missed.
                let sections = ($($name::from_environment(environment, problems),)+);
                #[expect(non_snake_case, reason = "one binding a type parameter")]
                let ($($name,)+) = sections;
                Some(($($name?,)+))
            }
        }
    };
}

sections!(A B);
sections!(A B C);
sections!(A B C D);
sections!(A B C D E);

/// Everything that is wrong with the configuration, a line each.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Problems(Vec<String>);

impl Problems {
    /// The one problem with a variable.
    #[must_use]
    pub fn one(variable: &str, problem: &str) -> Self {
        let mut problems = Self::default();
        problems.push(variable, problem);
        problems
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Adds a problem with a variable.
    pub fn push(&mut self, variable: &str, problem: impl fmt::Display) {
        self.0.push(format!("{variable}: {problem}"));
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "configuration: {}", self.0.join("\nconfiguration: "))
    }
}

impl std::error::Error for Problems {}

#[cfg(test)]
mod tests;
