//! Every section, well and badly set; and `.env.example`.

use secrecy::ExposeSecret;

use super::*;

type All =
    (ElevenLabsConfig, DatabaseConfig, AmqpConfig, SyncConfig, (WorkerConfig, ReportConfig, ReconcileConfig));

const REQUIRED: [(&str, &str); 2] =
    [("ELEVENLABS_API_KEY", "k-1"), ("DATABASE_URL", "postgres://ana:secreta@db/llamadas")];

fn read(pairs: &[(&'static str, &'static str)]) -> Result<All, Problems> {
    Environment::from_pairs(REQUIRED.into_iter().chain(pairs.iter().copied())).read()
}

fn problems(pairs: &[(&'static str, &'static str)]) -> String {
    read(pairs).expect_err("bad configuration").to_string()
}

#[test]
fn the_defaults_are_those_of_the_contract() {
    let (elevenlabs, database, amqp, sync, (worker, report, reconcile)) =
        read(&[]).expect("required variables are set");
    assert_eq!(elevenlabs.base_url.as_str(), "https://api.elevenlabs.io/");
    assert_eq!((elevenlabs.concurrency, elevenlabs.timeout.as_secs()), (8, 30));
    assert_eq!((elevenlabs.agent_id, elevenlabs.rate_limit), (None, None));
    assert_eq!(elevenlabs.max_body_bytes, 32 << 20);
    assert_eq!(database.pool_size, 4);
    assert_eq!(amqp.url.expose_secret(), "amqp://guest:guest@localhost:5672/%2f");
    assert_eq!(amqp.namespace, "089");
    assert_eq!(
        amqp.retry_delays.iter().map(std::time::Duration::as_secs).collect::<Vec<_>>(),
        [15, 60, 300, 900, 3600]
    );
    assert_eq!((sync.overlap.as_secs(), sync.since), (3600, None));
    assert_eq!((worker.prefetch, worker.batch_size), (512, 128));
    assert_eq!((reconcile.every.as_secs(), reconcile.window.as_secs()), (6 * 3600, 3 * 24 * 3600));
    assert_eq!(report, ReportConfig::default());
    assert_eq!(report.timezone.name(), "America/Mexico_City");
}

#[test]
fn everything_that_is_wrong_is_reported_at_once_by_name_and_without_its_value() {
    let environment = Environment::from_pairs([
        ("ELEVENLABS_TIMEOUT", "treinta"),
        ("ELEVENLABS_CONCURRENCY", "0"),
        ("ELEVENLABS_BASE_URL", "http://api.example.com"),
        ("AMQP_URL", "https://secreta"),
        ("AMQP_RETRY_DELAYS", "15s,,"),
        ("AMQP_NAMSPACE", "1"),
        ("WORKER_PREFETCH", "70000"),
        ("TIMEZONE", "America/Ciudad_Gotica"),
        ("SYNC_SINCE", "ayer"),
        ("RECONCILE_EVERY", "diario"),
    ]);
    let problems = environment.read::<All>().expect_err("all of it is wrong").to_string();
    for variable in [
        "ELEVENLABS_API_KEY",
        "ELEVENLABS_TIMEOUT",
        "ELEVENLABS_CONCURRENCY",
        "ELEVENLABS_BASE_URL",
        "DATABASE_URL",
        "AMQP_URL",
        "AMQP_RETRY_DELAYS",
        "AMQP_NAMSPACE",
        "WORKER_PREFETCH",
        "TIMEZONE",
        "SYNC_SINCE",
        "RECONCILE_EVERY",
    ] {
        assert!(
            problems.contains(&format!("configuration: {variable}: ")),
            "{variable} is missing in:\n{problems}"
        );
    }
    for value in ["treinta", "secreta", "Gotica", "ayer", "diario"] {
        assert!(!problems.contains(value), "{value} is repeated in:\n{problems}");
    }
    assert_eq!(problems.lines().count(), 12);
}

#[test]
fn a_size_says_its_unit_and_is_neither_nothing_nor_everything() {
    let size = |text| read(&[("ELEVENLABS_MAX_BODY", text)]).map(|(api, ..)| api.max_body_bytes);
    assert_eq!(size("1KiB"), Ok(1024));
    assert_eq!(size("8 MiB"), Ok(8 << 20));
    assert_eq!(size("1024MiB"), Ok(1 << 30));
    for wrong in ["32", "32MB", "0KiB", "-1MiB", "1.5MiB", "1025MiB", "99999999999999999999KiB", "MiB"] {
        assert!(
            size(wrong).is_err_and(|problems| problems.to_string().contains("ELEVENLABS_MAX_BODY: expected"))
        );
    }
}

#[test]
fn http_is_for_loopback_or_for_those_who_ask_for_it() {
    assert!(read(&[("ELEVENLABS_BASE_URL", "http://127.0.0.1:8080")]).is_ok());
    assert!(read(&[("ELEVENLABS_BASE_URL", "http://[::1]:8080")]).is_ok());
    assert!(read(&[("ELEVENLABS_BASE_URL", "http://localhost")]).is_ok());
    assert!(
        read(&[("ELEVENLABS_BASE_URL", "http://simulator:80"), ("ELEVENLABS_ALLOW_HTTP", "true")]).is_ok()
    );
    assert!(problems(&[("ELEVENLABS_BASE_URL", "http://simulator:80")]).contains("ELEVENLABS_BASE_URL"));
    assert!(
        problems(&[("ELEVENLABS_BASE_URL", "ftp://x"), ("ELEVENLABS_ALLOW_HTTP", "true")])
            .contains("BASE_URL")
    );
}

#[test]
fn the_older_systems_variables_still_name_the_database() {
    let pairs = [
        ("DB_HOST", "db.example"),
        ("DB_PORT", "5433"),
        ("DB_NAME", "llamadas"),
        ("DB_USER", "ana"),
        ("DB_PASSWORD", "a@b:c/d ñ 50%off%41"),
    ];
    let database: DatabaseConfig = Environment::from_pairs(pairs).read().expect("the older form");
    assert_eq!(
        database.url.expose_secret(),
        "postgres://ana:a%40b%3Ac%2Fd%20%C3%B1%2050%25off%2541@db.example:5433/llamadas"
    );
    let odd = Environment::from_pairs([("DATABASE_URL", "postgres://ana:50%off@db/llamadas")])
        .read::<DatabaseConfig>();
    let problem = odd.expect_err("a stray %").to_string();
    assert!(problem.contains("%25") && !problem.contains("off"), "{problem}");
    let without_name =
        Environment::from_pairs([("DB_HOST", "db"), ("DB_USER", "ana")]).read::<DatabaseConfig>();
    assert!(without_name.expect_err("no name").to_string().contains("DB_NAME"));
    let (_, both, ..) =
        read(&[("DB_HOST", "otro"), ("DB_NAME", "otra"), ("DB_USER", "otra")]).expect("the URL wins");
    assert_eq!(both.url.expose_secret(), "postgres://ana:secreta@db/llamadas");
}

/// What Kubernetes sets for a Service of this name, with a port that has a name, and Docker for a link.
fn injected(service: &str) -> Vec<(String, String)> {
    [
        ("SERVICE_HOST", "10.0.0.1"),
        ("SERVICE_PORT", "5672"),
        ("SERVICE_PORT_AMQP_TLS", "5671"),
        ("PORT", "tcp://10.0.0.1:5672"),
        ("PORT_5672_TCP", "tcp://10.0.0.1:5672"),
        ("PORT_5672_TCP_PROTO", "tcp"),
        ("PORT_5672_TCP_PORT", "5672"),
        ("PORT_5672_TCP_ADDR", "10.0.0.1"),
        ("PORT_53_UDP", "udp://10.0.0.1:53"),
        ("NAME", "/web/db"),
        ("ENV_POSTGRES_PASSWORD", "otra"),
    ]
    .map(|(end, value)| (format!("{service}_{end}"), value.to_owned()))
    .to_vec()
}

#[test]
fn what_containers_are_told_of_their_neighbours_is_ignored() {
    let services = [
        "AMQP",
        "AMQP_URL",
        "DB",
        "DB_1",
        "DATABASE",
        "DATABASE_PRIMARY",
        "ELEVENLABS",
        "ELEVENLABS_SIMULATOR",
        "RECONCILE",
        "REPORT",
        "SYNC",
        "WORKER",
        "WORKER_METRICS",
        "TIMEZONE",
    ];
    let injected: Vec<_> = services.into_iter().flat_map(injected).collect();
    let around = injected.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let read: All =
        Environment::from_pairs(REQUIRED.into_iter().chain(around.clone())).read().expect("ignored");
    assert_eq!(format!("{read:?}"), format!("{:?}", self::read(&[]).expect("nothing around")));
    // A service of the name `db` sets two of the older system's variables, which are ours too.
    let older = [("DB_HOST", "db"), ("DB_USER", "ana")].into_iter().chain(around);
    let database =
        Environment::from_pairs(older).read::<DatabaseConfig>().expect_err("no name is set").to_string();
    assert!(database.contains("DB_NAME: required") && !database.contains("DB_PORT"), "{database}");
}

#[test]
fn a_slip_of_the_pen_is_refused_by_name_and_what_is_somebody_else_s_is_not() {
    for (slip, meant) in [
        ("AMQP_ULR", "AMQP_URL"),
        ("AMQP_MANAGEMENT_URL_FIL", "AMQP_MANAGEMENT_URL_FILE"),
        ("DATABASE_POOLSIZE", "DATABASE_POOL_SIZE"),
        ("DATABSE_URL", "DATABASE_URL"),
        ("DB_PASSWD", "DB_PASSWORD"),
        ("ELEVENLAB_AGENT_ID", "ELEVENLABS_AGENT_ID"),
        ("ELEVEN_LABS_API_KEYS", "ELEVENLABS_API_KEY"),
        ("elevenlabs_agent_id", "ELEVENLABS_AGENT_ID"),
        ("ELEVENLABS_AGENTID", "ELEVENLABS_AGENT_ID"),
        ("SYNC_SINSE", "SYNC_SINCE"),
        ("REPORTS_LUGAR", "REPORT_LUGAR"),
        ("RECONCILE_EVRY", "RECONCILE_EVERY"),
        ("WORKER_PREFECHT", "WORKER_PREFETCH"),
        ("TIME_ZONE", "TIMEZONE"),
        ("DATA_ITEM", "DATA_ITEMS"),
    ] {
        let problems = problems(&[(slip, "secreta")]);
        assert!(
            problems.contains(&format!("{slip}: no such variable: {meant} is meant")),
            "{slip}: {problems}"
        );
        assert!(!problems.contains("secreta"), "{problems}");
    }
    for other in [
        "AMQP_CONNECTION_STRING",
        "DATABASE_HOST",
        "DATABASE_ADAPTER",
        "DB_MIGRATE",
        "SYNC_TOKEN",
        "WORKER_THREADS",
        "WEB_PORT",
        "MY_HOST",
        "PG_PASSWORD",
        "TZ",
        "PGDATABASE",
        "RABBITMQ_URL",
        "TEST_DATABASE_URL",
        "HOSTNAME",
    ] {
        assert!(read(&[(other, "otra cosa")]).is_ok(), "{other}");
    }
}

#[test]
fn a_secret_may_stand_in_a_file() {
    let file = std::env::temp_dir().join(format!("089-key-{}", std::process::id()));
    std::fs::write(&file, "k-2\n").expect("the temporary folder is writable");
    let path = file.to_str().expect("UTF-8");
    let with_file = Environment::from_pairs([("ELEVENLABS_API_KEY_FILE", path)]).read::<ElevenLabsConfig>();
    assert!(matches!(with_file.expect("the file is read").api_key, KeySource::File(_)));
    let with_both = Environment::from_pairs([("ELEVENLABS_API_KEY", "k"), ("ELEVENLABS_API_KEY_FILE", path)]);
    assert!(with_both.read::<ElevenLabsConfig>().expect_err("both").to_string().contains("not both"));
    std::fs::remove_file(&file).expect("it was there");
    let missing = Environment::from_pairs([("ELEVENLABS_API_KEY_FILE", path)]).read::<ElevenLabsConfig>();
    let missing = missing.expect_err("no file").to_string();
    assert!(missing.contains("ELEVENLABS_API_KEY_FILE: the file that it names cannot be read"), "{missing}");
    assert!(!missing.contains(path), "the key itself may stand where its path belongs");
}

#[test]
fn an_empty_variable_counts_as_not_set() {
    assert_eq!(read(&[("TIMEZONE", ""), ("AMQP_NAMESPACE", " ")]).expect("defaults").2.namespace, "089");
}

#[test]
fn a_first_pass_begins_at_a_day_in_the_time_zone_or_at_an_instant() {
    let since = |text| read(&[("SYNC_SINCE", text)]).expect("a date").3.since.expect("set").to_rfc3339();
    assert_eq!(since("2026-01-31"), "2026-01-31T06:00:00+00:00");
    assert_eq!(since("2026-01-31T10:00:00-05:00"), "2026-01-31T15:00:00+00:00");
}

/// Its commented defaults are real ones: with them set, every section reads the same as without.
#[test]
fn the_example_file_reads_into_every_section_and_shows_the_defaults() {
    let example = include_str!("../../../.env.example");
    let assignments = example.lines().filter_map(|line| line.trim_start_matches('#').split_once('='));
    let assignments: Vec<(&str, &str)> = assignments
        .filter(|(name, _)| {
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
        })
        .collect();
    let one_way = |name: &str| !name.starts_with("DB_") && !name.ends_with("_FILE");
    let set = assignments.iter().copied().filter(|(name, _)| one_way(name));
    let read: All = Environment::from_pairs(set).read().expect("the example is good");
    let required =
        assignments.iter().copied().filter(|(name, _)| ["ELEVENLABS_API_KEY", "DATABASE_URL"].contains(name));
    let defaults: All = Environment::from_pairs(required).read().expect("the required ones");
    assert_eq!(format!("{read:?}"), format!("{defaults:?}"));
    let older =
        assignments.iter().copied().filter(|(name, _)| name.starts_with("DB_") && !name.ends_with("_FILE"));
    assert!(Environment::from_pairs(older).read::<DatabaseConfig>().is_ok());
    for name in
        ["ELEVENLABS_API_KEY_FILE", "AMQP_NAMESPACE", "WORKER_BATCH_DELAY", "REPORT_MODO", "LOG_FORMAT"]
    {
        assert!(assignments.iter().any(|(assigned, _)| *assigned == name), "{name} is not in .env.example");
    }
}
