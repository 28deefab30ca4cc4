//! What `docker-compose.yml` and `.env.example` say, read as the lines they are.

use std::collections::{BTreeMap, BTreeSet};

use super::document::read;
use super::pattern;

/// Secrets, which containers get as files, and what each service has of its own.
const NOT_PASSED_ON: [&str; 7] = [
    "AMQP_MANAGEMENT_URL",
    "AMQP_URL",
    "DATABASE_URL",
    "DATABASE_URL_FILE",
    "DB_PASSWORD",
    "DB_PASSWORD_FILE",
    "DB_USER",
];

/// The key is a secret too; its file is what is passed on.
const KEY: &str = "ELEVENLABS_API_KEY";

/// Within the containers' network the database has another name.
const OTHER_DEFAULT: &str = "DB_HOST";

/// Every variable of `.env.example`, with the value shown.
pub(super) fn example() -> BTreeMap<String, String> {
    let assignment = pattern(r"(?m)^#?([A-Z][A-Z0-9_]*)=(.*)$");
    let text = read(".env.example");
    assignment.captures_iter(&text).map(|found| (found[1].to_owned(), found[2].to_owned())).collect()
}

/// The services.
pub(super) fn services() -> Vec<String> {
    let text = read("docker-compose.yml");
    let section = part(&text, "\nservices:\n", "\nvolumes:\n");
    let services: Vec<String> =
        pattern(r"(?m)^  ([a-z-]+):$").captures_iter(section).map(|found| found[1].to_owned()).collect();
    assert!(services.len() >= 6, "{services:?}");
    services
}

/// Every variable that Compose itself replaces, with its default.
pub(super) fn interpolated() -> BTreeMap<String, String> {
    let variable = pattern(r"\$\{([A-Z][A-Z0-9_]*):-([^}]*)\}");
    let text = read("docker-compose.yml");
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    for variable in variable.captures_iter(&text) {
        let default = found.entry(variable[1].to_owned()).or_default();
        if default.is_empty() {
            variable[2].clone_into(default);
        }
    }
    assert!(found.len() > 20, "{found:?}");
    found
}

fn part<'a>(text: &'a str, begin: &str, end: &str) -> &'a str {
    let (_, after) = text.split_once(begin).unwrap_or_else(|| panic!("{begin}"));
    after.split_once(end).unwrap_or_else(|| panic!("{end}")).0
}

/// What a person sets in `.env` reaches the program, and both files agree on what it is when nobody does.
pub(super) fn check(compose: &str) {
    let settings = part(compose, "\nx-settings: &settings\n", "\nservices:\n");
    let passed_on: BTreeSet<String> = pattern(r"(?m)^  ([A-Z][A-Z0-9_]*): ")
        .captures_iter(settings)
        .map(|found| found[1].to_owned())
        .collect();
    let (example, interpolated) = (example(), interpolated());
    for name in example.keys() {
        let is_exception = NOT_PASSED_ON.contains(&name.as_str()) || name == KEY;
        let reaches = passed_on.contains(name) || interpolated.contains_key(name);
        assert!(reaches || is_exception, "{name} of .env.example does not reach a container");
        assert!(!(reaches && is_exception), "{name} is passed on: take it from the exceptions");
    }
    for name in passed_on.iter().filter(|name| !name.ends_with("_FILE")).chain(interpolated.keys()) {
        assert!(example.contains_key(name), "{name} of docker-compose.yml is not in .env.example");
    }
    for (name, default) in
        interpolated.iter().filter(|(name, default)| !default.is_empty() && *name != OTHER_DEFAULT)
    {
        assert_eq!(Some(default), example.get(name), "{name}: docker-compose.yml and .env.example");
    }
}
