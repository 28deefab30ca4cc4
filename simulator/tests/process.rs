//! The binary as a process.

mod support;

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};

fn simulator(args: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_simulator"))
        .args(args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary was built for this test")
}

fn stop(process: &Child, signal: &str) {
    assert!(
        Command::new("kill")
            .args([signal, &process.id().to_string()])
            .status()
            .expect("there is a kill")
            .success()
    );
}

#[tokio::test]
async fn it_prints_its_url_serves_and_stops_on_a_signal() {
    for signal in ["-TERM", "-INT"] {
        let mut process =
            simulator(&["--conversations", "5", "--api-key", "k", "--latency", "1ms", "--seed", "3"]);
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut url = String::new();
        output.read_line(&mut url).unwrap();
        let request = support::client().get(format!("{}/v1/convai/conversations", url.trim_end()));
        assert_eq!(request.header("xi-api-key", "k").send().await.unwrap().status(), 200);
        stop(&process, signal);
        assert_eq!(process.wait().unwrap().code(), Some(0));
        let mut rest = String::new();
        output.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "", "nothing but the URL");
        assert!(url.starts_with("http://127.0.0.1:"), "{url}");
    }
}

#[test]
fn a_key_file_that_cannot_be_read_is_named() {
    let output = simulator(&["--api-key-file", "/nowhere/key"]).wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("--api-key-file /nowhere/key"), "{message}");
}

#[tokio::test]
async fn the_key_may_stand_in_a_file() {
    let file = std::env::temp_dir().join(format!("simulator-key-{}", std::process::id()));
    std::fs::write(&file, "from-a-file\n").unwrap();
    let mut process = simulator(&["--api-key-file", file.to_str().unwrap(), "--host", "127.0.0.2"]);
    let mut url = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut url).unwrap();
    std::fs::remove_file(&file).unwrap();
    assert!(url.starts_with("http://127.0.0.2:"), "{url}");
    let request = support::client().get(format!("{}/v1/convai/conversations", url.trim_end()));
    assert_eq!(request.header("xi-api-key", "from-a-file").send().await.unwrap().status(), 200);
    stop(&process, "-TERM");
    assert_eq!(process.wait().unwrap().code(), Some(0));
}

#[test]
fn wrong_flags_exit_64_and_say_which() {
    for (args, word) in [
        (&["--error-5xx", "1.5"][..], "not between 0 and 1"),
        (&["--dropped=-0.1"], "not between 0 and 1"),
        (&["--latency", "50"], "50ms"),
        (&["--rate-limit", "often"], "100/s"),
        (&["--agents", "0"], "--agents"),
        (&["--newest-start", "today"], "2026-11-22"),
        (&["--eror-5xx", "0.5"], "--error-5xx"),
        (&["--conversations", "many"], "--conversations"),
    ] {
        let output = simulator(args).wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(64), "{args:?}");
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(message.contains(word), "{args:?}: {message}");
    }
}

#[test]
fn help_names_every_knob() {
    let output = simulator(&["--help"]).wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let help = String::from_utf8(output.stdout).unwrap();
    let faults = serde_json::to_value(simulator::Faults::default()).unwrap();
    for knob in faults.as_object().unwrap().keys() {
        let flag = format!("--{}", knob.replace('_', "-"));
        assert!(help.contains(&flag), "{flag} is not in --help");
    }
}

#[test]
fn a_port_that_is_taken_is_a_failure() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = simulator(&["--port", &port]).wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains(&port));
}
