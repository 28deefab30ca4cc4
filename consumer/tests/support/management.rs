//! What only an operator at RabbitMQ's management API can do.

use std::process::Stdio;

use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// Asks the management API; the answer's body, `null` when there is none.
pub(crate) async fn management(method: &str, path: &str, body: &Value) -> Value {
    #[expect(clippy::disallowed_methods, reason = "tests are told where the servers are")]
    let url = std::env::var("TEST_AMQP_MANAGEMENT_URL");
    let url = url.expect("TEST_AMQP_MANAGEMENT_URL is not set: run the tests with `./dev test`");
    let mut asking = Command::new("curl")
        .args(["--silent", "--show-error", "--fail", "--request", method])
        .args(["--header", "content-type: application/json", "--data", "@-"])
        .arg(format!("{url}/api/{path}"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("curl is there");
    // No argument may be as long as some bodies; curl reads to the end before it asks.
    let mut input = asking.stdin.take().expect("a pipe");
    input.write_all(body.to_string().as_bytes()).await.expect("curl reads");
    drop(input);
    let output = asking.wait_with_output().await.expect("curl ends");
    assert!(output.status.success(), "{method} {path}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
}
