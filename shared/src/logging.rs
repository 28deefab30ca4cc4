//! Logs: `RUST_LOG` and `LOG_FORMAT`, for our own crates only.
//!
//! Libraries are capped at `info` whatever `RUST_LOG` says:
//! at `debug` and below they print requests, responses and statements, and so what callers said.

use std::io::Write;

use env_logger::fmt::Formatter;
use log::kv::{Error, Key, Value, VisitSource};
use log::{LevelFilter, Log, Metadata, Record};

use crate::config::{Environment, Problems};
use crate::progress;

/// The targets that `RUST_LOG` may open below `info`: our crates.
const OURS: [&str; 4] = ["consumer", "producer", "shared", "simulator"];

struct Capped(env_logger::Logger);

impl Capped {
    fn lets_through(metadata: &Metadata<'_>) -> bool {
        metadata.level() <= LevelFilter::Info || OURS.contains(&crate_of(metadata.target()))
    }
}

fn crate_of(target: &str) -> &str {
    target.split("::").next().unwrap_or(target)
}

impl Log for Capped {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        Self::lets_through(metadata) && self.0.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        if Self::lets_through(record.metadata()) {
            progress::suspended(|| self.0.log(record));
        }
    }

    fn flush(&self) {
        self.0.flush();
    }
}

/// Starts logging to standard error.
///
/// # Errors
/// [`Problems`] when `LOG_FORMAT` is neither `text` nor `json`.
pub fn init(environment: &Environment) -> Result<(), Problems> {
    let mut builder = env_logger::Builder::new();
    builder.parse_filters(environment.value("RUST_LOG").unwrap_or("info"));
    match environment.value("LOG_FORMAT") {
        None | Some("text") => {}
        Some("json") => {
            builder.format(write_json);
        }
        Some(_) => return Err(Problems::one("LOG_FORMAT", "expected text or json")),
    }
    let logger = builder.build();
    log::set_max_level(logger.filter());
    // A second call (tests within one process) keeps the first logger.
    log::set_boxed_logger(Box::new(Capped(logger))).ok();
    Ok(())
}

struct Fields(serde_json::Map<String, serde_json::Value>);

impl<'kvs> VisitSource<'kvs> for Fields {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), Error> {
        let value = match (value.to_i64(), value.to_bool()) {
            (Some(number), _) => number.into(),
            (None, Some(boolean)) => boolean.into(),
            (None, None) => value.to_string().into(),
        };
        self.0.insert(key.to_string(), value);
        Ok(())
    }
}

/// One object a line: `time`, `level`, `target`, `message`, and the record's own fields beside them.
fn write_json(formatter: &mut Formatter, record: &Record<'_>) -> std::io::Result<()> {
    let mut fields = Fields(serde_json::Map::new());
    record.key_values().visit(&mut fields).map_err(std::io::Error::other)?;
    let Fields(mut fields) = fields;
    fields.insert("time".into(), formatter.timestamp_millis().to_string().into());
    fields.insert("level".into(), record.level().as_str().to_lowercase().into());
    fields.insert("target".into(), record.target().into());
    fields.insert("message".into(), record.args().to_string().into());
    writeln!(formatter, "{}", serde_json::Value::Object(fields))
}

#[cfg(test)]
mod tests {
    use log::Level;

    use super::*;

    #[test]
    fn libraries_are_capped_at_info() {
        let lets =
            |target, level| Capped::lets_through(&Metadata::builder().target(target).level(level).build());
        assert!(lets("hyper::client", Level::Info) && lets("consumer::settle", Level::Trace));
        assert!(!lets("hyper::client", Level::Debug) && !lets("producerx", Level::Debug));
    }
}
