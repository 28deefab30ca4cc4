//! One prefix of the environment, taken apart: `envy` collects its variables, and what nobody asked for is a typo.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use secrecy::SecretString;

use super::{Environment, Problems, names};

/// The variables that begin with one prefix. Each is taken once; what is left at [`Section::finish`] is unknown.
#[derive(Debug)]
pub struct Section<'a> {
    prefix: &'static str,
    variables: BTreeMap<String, String>,
    /// The full names that were asked for.
    known: Vec<String>,
    environment: &'a Environment,
    problems: &'a mut Problems,
}

impl<'a> Section<'a> {
    /// Collects the variables that begin with `prefix`.
    ///
    /// # Panics
    /// Never: a map of strings takes any variable.
    pub fn new(environment: &'a Environment, prefix: &'static str, problems: &'a mut Problems) -> Self {
        let set =
            environment.0.keys().filter_map(|name| Some((name.clone(), environment.value(name)?.to_owned())));
        let variables = envy::prefixed(prefix).from_iter(set).expect("a map of strings takes any variable");
        Self { prefix, variables, known: Vec::new(), environment, problems }
    }

    /// The full name of a variable of this section.
    fn full(&self, name: &str) -> String {
        full(self.prefix, name)
    }

    /// Says what is wrong with a variable.
    pub fn problem(&mut self, name: &str, problem: impl Display) {
        let variable = self.full(name);
        self.problems.push(&variable, problem);
    }

    /// Takes a variable's text; names are lower-case and without the prefix.
    pub fn text(&mut self, name: &str) -> Option<String> {
        self.known.push(self.full(name));
        self.variables.remove(name)
    }

    /// Takes a variable and parses it; `expected` says of what form it is. `None` when it is not of that form, which is
    /// then among the problems.
    pub fn parsed<T>(
        &mut self,
        name: &str,
        default: T,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let Some(text) = self.text(name) else { return Some(default) };
        let value = parse(&text);
        if value.is_none() {
            self.problem(name, format_args!("expected {expected}"));
        }
        value
    }

    /// A whole number between two bounds.
    pub fn number<T>(&mut self, name: &str, default: T, min: T, max: T) -> Option<T>
    where
        T: Copy + Display + FromStr + PartialOrd,
    {
        let expected = format!("a whole number from {min} to {max}");
        self.parsed(name, default, &expected, |text| {
            text.parse().ok().filter(|number| (min..=max).contains(number))
        })
    }

    /// A duration such as `500ms`, `15s`, `5m`, of at least a millisecond and at most a year.
    pub fn duration(&mut self, name: &str, default: Duration) -> Option<Duration> {
        self.parsed(name, default, "a duration such as 500ms, 15s or 5m", parse_duration)
    }

    /// A size such as `512KiB` or `32MiB`, of at least a kibibyte and at most a gibibyte.
    pub fn size(&mut self, name: &str, default: usize) -> Option<usize> {
        self.parsed(name, default, "a size from 1KiB to 1024MiB, such as 32MiB", parse_size)
    }

    /// A rate such as `10/s` or `300/m`, as the time between two of what it counts.
    pub fn rate(&mut self, name: &str) -> Option<Option<Duration>> {
        self.parsed(name, None, "a rate from 1/h to 10000/s, such as 10/s or 300/m", |text| {
            parse_rate(text).map(Some)
        })
    }

    /// Several durations, separated by commas.
    pub fn durations(&mut self, name: &str, default: Vec<Duration>) -> Option<Vec<Duration>> {
        self.parsed(name, default, "durations separated by commas, such as 15s,1m,5m", |text| {
            text.split(',').map(str::trim).map(parse_duration).collect()
        })
    }

    /// `true` or `false`.
    pub fn boolean(&mut self, name: &str, default: bool) -> Option<bool> {
        self.parsed(name, default, "true or false", |text| text.parse().ok())
    }

    /// A secret, from `NAME` or from the file that `NAME_FILE` names; both together are a problem. Who mistakes the one for
    /// the other has written the secret where its path belongs, so that is not repeated either. The outer `None`
    /// says that there was one, the inner that neither is set.
    pub fn secret(&mut self, name: &str) -> Option<Option<SecretString>> {
        let file_name = format!("{name}_file");
        match (self.text(name), self.text(&file_name)) {
            (None, None) => Some(None),
            (Some(text), None) => Some(Some(text.into())),
            (None, Some(path)) => match std::fs::read_to_string(&path) {
                Ok(text) if !text.trim().is_empty() => Some(Some(text.trim().into())),
                Ok(_) => {
                    self.problem(&file_name, "the file that it names is empty");
                    None
                }
                Err(error) => {
                    self.problem(&file_name, format_args!("the file that it names cannot be read: {error}"));
                    None
                }
            },
            (Some(_), Some(_)) => {
                let variable = self.full(name);
                self.problem(&file_name, format_args!("set either this or {variable}, not both"));
                None
            }
        }
    }

    /// Reports what is a typo: of what was not taken, and of what does not even begin with our prefix. The rest of what
    /// was not taken is somebody else's, and warned of.
    pub fn finish(self) {
        let Self { prefix, variables, known, environment, problems } = self;
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        for name in variables.keys().map(|name| full(prefix, name)) {
            match names::nearest(&name, &known) {
                Some(meant) => problems.push(
                    &name,
                    format_args!("no such variable: {meant} is meant; see .env.example for those there are"),
                ),
                None => names::warn_of(&name),
            }
        }
        names::find_misspelt(environment, &known, problems);
    }
}

fn full(prefix: &str, name: &str) -> String {
    format!("{prefix}{}", name.to_uppercase())
}

/// The longest duration taken: a year.
const LONGEST: Duration = Duration::from_hours(366 * 24);

/// The largest value of AMQP's signed and PostgreSQL's time arithmetic stays far off, and zero is never meant.
fn parse_duration(text: &str) -> Option<Duration> {
    let duration = humantime::parse_duration(text).ok()?;
    (duration >= Duration::from_millis(1) && duration <= LONGEST).then_some(duration)
}

/// So many a second, minute or hour.
fn parse_rate(text: &str) -> Option<Duration> {
    let (count, unit) = text.split_once('/')?;
    let unit = [("s", 1), ("m", 60), ("h", 3600)].into_iter().find(|(name, _)| *name == unit.trim())?.1;
    let count: u32 = count.trim().parse().ok().filter(|count| *count > 0)?;
    let spacing = Duration::from_secs(unit) / count;
    (spacing >= Duration::from_micros(100)).then_some(spacing)
}

/// Whole kibibytes or mebibytes; a bare number would leave open of what.
fn parse_size(text: &str) -> Option<usize> {
    const KIB: usize = 1024;
    let (number, unit) = [("KiB", KIB), ("MiB", KIB * KIB)]
        .into_iter()
        .find_map(|(name, unit)| Some((text.strip_suffix(name)?.trim_end(), unit)))?;
    let size = number.parse::<usize>().ok()?.checked_mul(unit)?;
    (KIB..=KIB * KIB * KIB).contains(&size).then_some(size)
}
