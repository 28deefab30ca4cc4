//! What the documents say is so: every command is one, every default is the default, every query runs, every link leads
//! somewhere, and the Spanish README says what the English one says.

mod commands;
mod deployment;
mod document;
mod tables;
mod twins;

use std::collections::BTreeSet;
use std::path::Path;

use clap::CommandFactory;
use regex::Regex;
use shared::backoff::Ladder;
use shared::config::{AmqpConfig, Environment};
use shared::queue::{Destination, Lane, Topology};

use document::{Document, all, one, read};

/// What the READMEs say is not there yet: where it comes, they must be changed.
const VERBS_NOT_THERE_YET: [&str; 1] = ["forget"];
const VARIABLES_NOT_THERE_YET: [&str; 1] = ["METRICS_ADDR"];

/// Of Docker Compose itself, and of psql.
const OTHER_VARIABLES: [&str; 2] = ["COMPOSE_FILE", "ON_ERROR_STOP"];

const LONGEST_LINE: usize = 120;

fn pattern(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a regular expression")
}

fn amqp() -> AmqpConfig {
    Environment::default().read().expect("the defaults")
}

#[test]
fn every_command_is_one() {
    let (mut count, mut problems) = (0, Vec::new());
    for (place, command) in all().iter().flat_map(Document::commands) {
        let is_to_come = VERBS_NOT_THERE_YET.iter().any(|verb| command == ["producer", verb]);
        if let (Err(problem), false) = (commands::check(&command), is_to_come) {
            problems.push(format!("{place}: {}: {problem}", command.join(" ")));
        }
        count += 1;
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(count > 100, "{count} commands were found: the documents are not read as they should be");
}

#[test]
fn every_variable_is_one() {
    let known: BTreeSet<String> =
        deployment::example().into_keys().chain(deployment::interpolated().into_keys()).collect();
    let variable = pattern(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b");
    for document in all() {
        for (place, code) in document.code() {
            for name in variable.find_iter(&code).map(|found| found.as_str()) {
                let is_known = known.contains(name)
                    || OTHER_VARIABLES.contains(&name)
                    || VARIABLES_NOT_THERE_YET.contains(&name);
                assert!(is_known, "{place}: there is no variable {name}");
            }
        }
    }
}

#[test]
fn what_is_said_to_be_missing_is_missing() {
    let example = deployment::example();
    for readme in [one("README.md"), one("README.es.md")] {
        for name in VARIABLES_NOT_THERE_YET {
            assert!(readme.text.contains(name) && !example.contains_key(name), "{}: {name}", readme.path);
        }
        for verb in VERBS_NOT_THERE_YET {
            let is_there = producer::cli::Options::command().find_subcommand(verb).is_some();
            assert!(
                readme.text.contains(&format!("`producer {verb}`")) && !is_there,
                "{}: {verb}",
                readme.path
            );
        }
    }
}

#[test]
fn every_default_in_a_table_is_the_default() {
    let example = deployment::example();
    let row = pattern(r"(?m)^\| `([A-Z][A-Z0-9_]+)` \|(?: `([^`]*)`)? \|");
    let mut count = 0;
    for document in all() {
        for found in row.captures_iter(&document.text) {
            let (name, quoted) = (&found[1], found.get(2).map_or("", |quoted| quoted.as_str()));
            let value = example.get(name).unwrap_or_else(|| panic!("{}: no variable {name}", document.path));
            assert_eq!(quoted, value, "{}: {name}", document.path);
            count += 1;
        }
    }
    assert!(count > 20, "{count} rows were found");
}

#[test]
fn the_exit_codes_are_those_of_help() {
    let code = pattern(r"(?m)^ +(\d+)  ");
    let of_help = |command: clap::Command| -> BTreeSet<String> {
        let help = command.get_after_help().expect("a table of exit codes").to_string();
        code.captures_iter(&help).map(|found| found[1].to_owned()).collect()
    };
    let codes = of_help(producer::cli::Options::command());
    assert_eq!(codes, of_help(consumer::cli::Options::command()));
    let row = pattern(r"(?m)^\| (\d+) \| ");
    let listed: BTreeSet<String> =
        row.captures_iter(&one("docs/operations.md").text).map(|found| found[1].to_owned()).collect();
    assert_eq!(listed, codes);
    let said = pattern(r"(?:exits? with|exit code|ends? with|gives up with|código de salida|sale con) (\d+)");
    for document in all() {
        for found in said.captures_iter(&document.text) {
            assert!(codes.contains(&found[1]), "{}: {}", document.path, &found[0]);
        }
    }
}

#[test]
fn every_link_leads_somewhere() {
    let link = pattern(r"\]\(([^)\s]+)\)");
    for document in all() {
        for found in link.captures_iter(&document.prose()) {
            let target = &found[1];
            if target.contains("://") {
                continue;
            }
            let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
            let folder = Path::new(&document.path).parent().expect("a folder");
            let path = if path.is_empty() { document.path.clone() } else { document::join(folder, path) };
            assert!(
                Path::new(document::ROOT).join(&path).exists(),
                "{}: {target}: no such file",
                document.path
            );
            if !anchor.is_empty() {
                let anchors = one(&path).anchors();
                assert!(
                    anchors.iter().any(|own| own == anchor),
                    "{}: {target}: of {anchors:?}",
                    document.path
                );
            }
        }
    }
}

#[test]
fn every_queue_is_one_of_ours() {
    let config = amqp();
    let topology = Topology::new(&config);
    let waiting = config
        .retry_delays
        .iter()
        .map(|&delay| Destination::Retry(delay, Lane::Fetch))
        .chain(config.unfinished_delays.iter().map(|&delay| Destination::Unfinished(delay, Lane::Fetch)));
    let queues: Vec<String> = Lane::ALL
        .into_iter()
        .map(Destination::Work)
        .chain([Destination::Dead])
        .chain(waiting)
        .map(|to| topology.queue(to))
        .collect();
    let named = pattern(r"^089\.[a-z0-9.]+$");
    for document in all() {
        for (place, code) in document.spans() {
            // `089.retry.…` and `089.retry.<delay>` are all of a kind.
            let is_kind = code.ends_with('…') || code.ends_with("<delay>");
            let kind = code.trim_end_matches('…').trim_end_matches("<delay>");
            let is_ours = if is_kind {
                queues.iter().any(|queue| queue.starts_with(kind))
            } else {
                queues.contains(&code)
            };
            assert!(!named.is_match(kind) || is_ours, "{place}: no queue {code}");
        }
    }
}

#[test]
fn the_ladder_is_as_long_as_it_is_said_to_be() {
    let ladder = Ladder::new(amqp().retry_delays);
    let minutes = |secs: u64| format!("{} h {} min {} s", secs / 3_600, secs / 60 % 60, secs % 60);
    let span = ladder.rungs().iter().map(std::time::Duration::as_secs).sum();
    // However the lines are broken.
    let words = |path| one(path).text.split_whitespace().collect::<Vec<_>>().join(" ");
    let lifecycle = words("docs/job-lifecycle.md");
    assert!(lifecycle.contains(&minutes(span)), "{}", minutes(span));
    assert!(lifecycle.contains(&format!("tried {} times", ladder.rungs().len() + 1)));
    assert!(words("docs/operations.md").contains(&minutes(span + 3_600)), "{}", minutes(span + 3_600));
}

#[test]
fn every_class_of_a_dead_letter_is_one_that_the_code_gives() {
    let sources: String =
        ["shared/src", "consumer/src", "producer/src"].into_iter().map(document::sources).collect();
    let section = one("docs/job-lifecycle.md").section("Why a call is dead");
    let classes: Vec<String> =
        pattern(r"(?m)^\| `([a-z_]+)` \|").captures_iter(&section).map(|found| found[1].to_owned()).collect();
    assert!(classes.len() > 10, "{classes:?}");
    for class in classes {
        assert!(sources.contains(&format!("\"{class}\"")), "{class}");
    }
}

#[test]
fn lines_stay_short() {
    for document in all().iter().filter(|document| !document.path.starts_with("deploy/")) {
        for (number, line) in document.text.lines().enumerate() {
            let length = line.chars().count();
            assert!(length <= LONGEST_LINE, "{}:{}: {length} characters", document.path, number + 1);
        }
    }
}

/// What `./dev compose` tries is what a person is told to do.
#[test]
fn the_drill_dumps_and_restores_as_the_document_says() {
    let told: Vec<String> =
        one("docs/operations.md").commands().into_iter().map(|(_, command)| command.join(" ")).collect();
    let script = read("scripts/compose.sh");
    let done =
        pattern(r"dc (exec -T postgres pg_(?:dump|restore)[^<>\n]*) [<>]|dc (stop producer consumer)\n");
    let done: Vec<String> = done
        .captures_iter(&script)
        .filter_map(|found| Some(format!("docker compose {}", found.get(1).or(found.get(2))?.as_str())))
        .collect();
    assert_eq!(done.len(), 3, "{done:?}");
    for command in done {
        assert!(told.contains(&command), "{command} is not in docs/operations.md");
    }
}

#[test]
fn compose_and_the_example_file_know_the_same_variables() {
    deployment::check(&read("docker-compose.yml"));
}
