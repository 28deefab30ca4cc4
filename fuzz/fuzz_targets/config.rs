//! Variables, into every section of the configuration: whatever is wrong with them is said without their values.
#![no_main]

use libfuzzer_sys::fuzz_target;
use shared::config::{
    AmqpConfig, DatabaseConfig, ElevenLabsConfig, Environment, KeySource, ReconcileConfig, ReportConfig,
    SyncConfig, WorkerConfig,
};
use shared::elevenlabs::ApiKey;

/// What every value holds, and no problem may say.
const VALUE: &str = "qzvalueqz";

/// What every secret holds, and nothing may say at all.
const SECRET: &str = "qzsecretqz";

// Lines of the form `NAME=value`; in a value, `~` stands for what must not be said. Names that hold a secret are known by
// their ends.
fuzz_target!(|input: &str| {
    let pairs: Vec<(&str, String)> = input
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| {
            let stem = name.strip_suffix("_FILE").unwrap_or(name);
            let is_secret = ["_KEY", "_URL", "_PASSWORD"].iter().any(|end| stem.ends_with(end));
            (name, value.replace('~', if is_secret { SECRET } else { VALUE }))
        })
        // A device is a file without an end.
        .filter(|(name, value)| !name.ends_with("_FILE") || value.contains(SECRET))
        .collect();
    let environment = Environment::from_pairs(pairs.iter().map(|(name, value)| (*name, value.as_str())));

    let sections = environment.read::<(
        ElevenLabsConfig,
        DatabaseConfig,
        AmqpConfig,
        SyncConfig,
        (WorkerConfig, ReportConfig, ReconcileConfig),
    )>();
    match sections {
        Ok((elevenlabs, database, amqp, ..)) => {
            let said = format!("{:?} {:?}", database, amqp);
            assert!(!said.contains(SECRET), "a secret in {said:?}");
            if let KeySource::Variable(key) = elevenlabs.api_key
                && let Err(error) = ApiKey::new(key)
            {
                assert!(!error.to_string().contains(SECRET), "a secret in {error}");
            }
        }
        Err(problems) => {
            let said = problems.to_string();
            assert!(!said.contains(SECRET) && !said.contains(VALUE), "a value in {said:?}");
        }
    }
});
