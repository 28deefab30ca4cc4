//! Whether a command would be taken: by our own programs, by `./dev`, by `docker compose` with our file, by systemd with our
//! units. Those of others are not looked at, but for the files of ours that they name.

use std::path::Path;

use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Command, Parser};

use super::deployment;
use super::document::{ROOT, read};
use super::pattern;

/// Folders of ours that commands name files of.
const FOLDERS: [&str; 2] = ["deploy/", "scripts/"];

/// Checks a command.
pub(super) fn check(words: &[String]) -> Result<(), String> {
    let [program, arguments @ ..] = words else { return Ok(()) };
    for word in words {
        if FOLDERS.iter().any(|folder| word.starts_with(folder)) && !exists(word) {
            return Err(format!("there is no {word}"));
        }
    }
    match (program.as_str(), arguments) {
        // The program's name, and not a command.
        ("producer" | "consumer" | "089" | "simulator" | "./dev", []) => Ok(()),
        ("producer" | "089", _) => parse::<producer::cli::Options>("producer", arguments),
        ("consumer", _) => parse::<consumer::cli::Options>("consumer", arguments),
        ("simulator", _) => Err("nobody can say whether it would be taken".to_owned()),
        ("./dev", [verb, ..]) => dev(verb),
        ("eval", [inner]) if inner.starts_with("$(./dev ") => {
            dev(inner["$(./dev ".len()..].trim_end_matches(')'))
        }
        ("docker", [compose, arguments @ ..]) if compose == "compose" && !arguments.is_empty() => {
            of_compose(arguments)
        }
        ("systemctl" | "journalctl", _) => units(arguments),
        _ => Ok(()),
    }
}

fn exists(path: &str) -> bool {
    Path::new(ROOT).join(path).exists()
}

fn parse<O: Parser>(program: &str, arguments: &[String]) -> Result<(), String> {
    let words = std::iter::once(program).chain(arguments.iter().map(String::as_str));
    let Err(error) = O::try_parse_from(words) else { return Ok(()) };
    match error.kind() {
        // The last is the name of several verbs together: `producer dead`.
        ErrorKind::DisplayHelp
        | ErrorKind::DisplayVersion
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => Ok(()),
        _ => Err(error.to_string()),
    }
}

/// Its verbs are those of its one `case`.
fn dev(verb: &str) -> Result<(), String> {
    let dev = read("dev");
    let verbs = dev.lines().find_map(|line| line.trim().strip_suffix(") \"cmd_$verb\" \"$@\" ;;"));
    let is_verb = verbs.expect("the verbs of ./dev").split(" | ").any(|own| own == verb) || verb == "help";
    if is_verb { Ok(()) } else { Err("no verb of ./dev".to_owned()) }
}

/// What of `docker compose` the documents may use.
fn compose() -> Command {
    let flag = |name: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue);
    let value = |name: &'static str| Arg::new(name).long(name).action(ArgAction::Append);
    let services = || Arg::new("services").num_args(0..).action(ArgAction::Append);
    let command = |name: &'static str, of_service: bool| {
        let service = Arg::new("services").required(true).num_args(1);
        let inner = Arg::new("command").num_args(0..).trailing_var_arg(true).allow_hyphen_values(true);
        let command = Command::new(name);
        if of_service { command.arg(service).arg(inner) } else { command.arg(services()) }
    };
    let terminal = || Arg::new("T").short('T').action(ArgAction::SetTrue);
    let detach = || flag("detach").short('d');
    let up = [flag("build"), detach(), flag("wait"), flag("force-recreate"), flag("no-deps"), value("scale")];
    Command::new("docker compose")
        .subcommand_required(true)
        .args([value("file").short('f'), value("env-file"), value("project-name").short('p')])
        .subcommand(command("up", false).args(up))
        .subcommand(command("down", false).args([flag("volumes"), value("timeout")]))
        .subcommand(command("stop", false))
        .subcommand(command("start", false))
        .subcommand(command("restart", false))
        .subcommand(command("build", false))
        .subcommand(command("ps", false).arg(flag("all")))
        .subcommand(command("logs", false).args([
            flag("follow"),
            flag("no-log-prefix"),
            value("since"),
            value("tail"),
        ]))
        .subcommand(command("run", true).args([flag("rm"), flag("no-deps"), terminal()]))
        .subcommand(command("exec", true).arg(terminal()))
        .subcommand(Command::new("version"))
}

fn texts(matches: &ArgMatches, name: &str) -> Vec<String> {
    let values = matches.try_get_many::<String>(name).ok().flatten();
    values.into_iter().flatten().cloned().collect()
}

fn of_compose(arguments: &[String]) -> Result<(), String> {
    let words = std::iter::once("docker compose").chain(arguments.iter().map(String::as_str));
    let matches = compose().try_get_matches_from(words).map_err(|error| error.to_string())?;
    for file in ["file", "env-file"].iter().flat_map(|name| texts(&matches, name)) {
        if !exists(&file) {
            return Err(format!("there is no {file}"));
        }
    }
    let (verb, matches) = matches.subcommand().expect("it is required");
    let services = deployment::services();
    let scaled = texts(matches, "scale");
    let scaled = scaled.iter().map(|scale| scale.split('=').next().unwrap_or(scale).to_owned());
    let named = texts(matches, "services");
    for service in scaled.chain(named.iter().cloned()) {
        if !services.contains(&service) {
            return Err(format!("no service {service}; there are {services:?}"));
        }
    }
    let inner = texts(matches, "command");
    let mounts = read("docker-compose.yml");
    let mount =
        inner.iter().find(|word| word.starts_with("/docker-entrypoint-initdb.d/") && !mounts.contains(*word));
    if let Some(mount) = mount {
        return Err(format!("{mount} is mounted nowhere"));
    }
    match (verb, named.first().map(String::as_str)) {
        ("run", Some("producer" | "migrate")) => check(&[vec!["producer".to_owned()], inner].concat()),
        ("run", Some("consumer")) => check(&[vec!["consumer".to_owned()], inner].concat()),
        ("exec", _) => check(&inner),
        _ => Ok(()),
    }
}

/// Units of ours that are named must be among those that ship.
fn units(arguments: &[String]) -> Result<(), String> {
    let unit = pattern(r"^089-[a-z-]+@?");
    for word in arguments.iter().filter(|word| !word.contains('*')) {
        let Some(name) = unit.find(word).map(|found| found.as_str()) else { continue };
        let ships = ["service", "timer"].iter().any(|kind| exists(&format!("deploy/systemd/{name}.{kind}")));
        if !ships {
            return Err(format!("no unit {name}"));
        }
    }
    Ok(())
}
