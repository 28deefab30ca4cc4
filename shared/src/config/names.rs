//! Names of variables: those that are somebody else's, and those that are a slip of the pen away from ours.

use std::collections::BTreeSet;
use std::sync::Mutex;

use strsim::damerau_levenshtein;

use super::{Environment, Problems};

/// How the names of our variables begin, …
const PREFIXES: [&str; 8] =
    ["ELEVENLABS_", "DATABASE_", "DB_", "AMQP_", "SYNC_", "REPORT_", "WORKER_", "RECONCILE_"];

/// … but for these.
const OTHERS: [&str; 4] = ["TIMEZONE", "DATA_ITEMS", "RUST_LOG", "LOG_FORMAT"];

/// Whether a name is one of ours, or begins as ours do.
pub(super) fn is_ours(name: &str) -> bool {
    OTHERS.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Whether a variable was set by Kubernetes for a Service, or by Docker for a link, of whatever name: `db` gives
/// `DB_PORT=tcp://10.0.0.2:5432`, and a dozen more.
pub(super) fn is_injected(name: &str, value: &str) -> bool {
    const PROTOCOLS: [&str; 3] = ["tcp", "udp", "sctp"];
    let is_address = || {
        value.split_once("://").is_some_and(|(scheme, _)| PROTOCOLS.contains(&scheme.to_lowercase().as_str()))
    };
    let is_port = |rest: &str| {
        let mut parts = rest.split('_');
        let is_number = parts.next().is_some_and(|port| port.parse::<u16>().is_ok());
        is_number && parts.next().is_some_and(|name| PROTOCOLS.contains(&name.to_lowercase().as_str()))
    };
    name.ends_with("_SERVICE_HOST")
        || name.ends_with("_SERVICE_PORT")
        || name.contains("_SERVICE_PORT_")
        || name.contains("_ENV_")
        || (name.ends_with("_PORT") && is_address())
        || (name.ends_with("_NAME") && value.starts_with('/'))
        || name.match_indices("_PORT_").any(|(at, found)| is_port(&name[at + found.len()..]))
}

/// Those known names of which another is a letter or two away; a short one that does not even begin as ours do is
/// more likely to be somebody else's.
pub(super) fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let name = name.to_uppercase();
    let distance = |known: &&str| damerau_levenshtein(&name, known);
    let nearest = known.iter().copied().min_by_key(distance)?;
    let most = match nearest.len() {
        _ if is_ours(&name) => 2,
        12.. => 2,
        8.. => 1,
        _ => 0,
    };
    (distance(&nearest) <= most).then_some(nearest)
}

/// Finds among the variables that do not begin as ours do those that were meant to be one of these.
pub(super) fn find_misspelt(environment: &Environment, known: &[&str], problems: &mut Problems) {
    for name in environment.names().filter(|name| !is_ours(name)) {
        if let Some(meant) = nearest(name, known) {
            problems.push(name, format_args!("no such variable: {meant} is meant, or another name"));
        }
    }
}

/// Says once a process that a variable is none of ours, though it begins as ours do.
pub(super) fn warn_of(name: &str) {
    static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    if SAID.lock().is_ok_and(|mut said| said.insert(name.to_owned())) {
        log::warn!(
            "{name} is no variable of this program, and ignored; see .env.example for those there are"
        );
    }
}
