//! What only an operator at RabbitMQ's management API can do.

use serde_json::Value;
use tokio::process::Command;

/// Asks the management API; the answer's body, `null` when there is none.
pub(crate) async fn management(method: &str, path: &str, body: &Value) -> Value {
    #[expect(clippy::disallowed_methods, reason = "tests are told where the servers are")]
    let url = std::env::var("TEST_AMQP_MANAGEMENT_URL");
    let url = url.expect("TEST_AMQP_MANAGEMENT_URL is not set: run the tests with `./dev test`");
    let output = Command::new("curl")
        .args(["--silent", "--show-error", "--fail", "--request", method])
        .args(["--header", "content-type: application/json", "--data", &body.to_string()])
        .arg(format!("{url}/api/{path}"))
        .output()
        .await
        .expect("curl is there");
    assert!(output.status.success(), "{method} {path}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
}
