//! The settings: every section, and whether its secrets are kept.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use shared::config::{
    AmqpConfig, DatabaseConfig, ElevenLabsConfig, Environment, FromEnvironment, Problems, ReconcileConfig,
    ReportConfig, SyncConfig, WorkerConfig,
};
use shared::exit::Exit;

use super::report::Report;

const CHECK: &str = "configuration";

/// The sections that could be read.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) elevenlabs: Option<ElevenLabsConfig>,
    pub(super) database: Option<DatabaseConfig>,
    pub(super) amqp: Option<AmqpConfig>,
    pub(super) report: Option<ReportConfig>,
}

/// Where secrets may stand in files.
const SECRET_FILES: [&str; 5] = [
    "ELEVENLABS_API_KEY_FILE",
    "DATABASE_URL_FILE",
    "DB_PASSWORD_FILE",
    "AMQP_URL_FILE",
    "AMQP_MANAGEMENT_URL_FILE",
];

/// Mounted by Docker and Kubernetes, readable by all that is in the container.
const MOUNTED: &str = "/run/secrets";

pub(super) fn check(environment: &Environment, report: &mut Report) -> Settings {
    let mut problems = Vec::new();
    let settings = Settings {
        elevenlabs: section(environment, &mut problems),
        database: section(environment, &mut problems),
        amqp: section(environment, &mut problems),
        report: section(environment, &mut problems),
    };
    section::<SyncConfig>(environment, &mut problems);
    section::<ReconcileConfig>(environment, &mut problems);
    section::<WorkerConfig>(environment, &mut problems);
    // Started already; asked again for what it says of LOG_FORMAT.
    problems.extend(shared::logging::init(environment).err());
    if problems.is_empty() {
        report.good(CHECK, "every section can be read, and no variable is unknown");
    }
    for problem in problems.iter().flat_map(Problems::iter) {
        report.failed(CHECK, Exit::Usage, problem, "set it as .env.example says");
    }
    let is_set = |names: &[&str]| names.iter().any(|name| environment.value(name).is_some());
    if is_set(&["DATABASE_URL", "DATABASE_URL_FILE"]) && is_set(&["DB_HOST", "DB_NAME", "DB_USER"]) {
        let both = "both DATABASE_URL and DB_* are set; DATABASE_URL is used";
        report.warning(CHECK, both, "unset the one that is not meant");
    }
    let files = SECRET_FILES.iter().filter_map(|name| Some((*name, environment.value(name)?)));
    for (name, path) in files.chain([(".env", ".env")]) {
        if !path.starts_with(MOUNTED) && is_readable_by_all(path) {
            let finding = format!("{name}: every user of this machine may read {path}");
            report.warning(CHECK, finding, format!("chmod o= {path}"));
        }
    }
    settings
}

/// Each on its own, so that one that is wrong keeps no other from being tried.
fn section<T: FromEnvironment>(environment: &Environment, problems: &mut Vec<Problems>) -> Option<T> {
    environment.read().map_err(|error| problems.push(error)).ok()
}

fn is_readable_by_all(path: impl AsRef<Path>) -> bool {
    path.as_ref().metadata().is_ok_and(|metadata| metadata.permissions().mode() & 0o004 != 0)
}
