//! The broker's management API, for what AMQP does not tell and our own vocabulary has no words for. Asked by curl, which
//! `./dev` needs too.

use std::process::{Command, Stdio};

use serde_json::{Value, json};

/// The management API, in one namespace.
pub(crate) struct Management {
    url: String,
    namespace: String,
}

impl Management {
    pub(crate) fn new(namespace: &str) -> Self {
        Self { url: variable("TEST_AMQP_MANAGEMENT_URL"), namespace: namespace.to_owned() }
    }

    /// Up to so many messages of a queue, which stay there.
    pub(crate) fn messages(&self, queue: &str, count: usize) -> Vec<Value> {
        self.take(queue, count, "ack_requeue_true")
    }

    /// Takes a message and gives it back as one that could not be worked, as a worker does that is killed by it.
    pub(crate) fn reject(&self, queue: &str) {
        self.take(queue, 1, "reject_requeue_true");
    }

    fn take(&self, queue: &str, count: usize, ackmode: &str) -> Vec<Value> {
        let path = format!("queues/%2f/{}.{queue}/get", self.namespace);
        let body = json!({ "count": count, "ackmode": ackmode, "encoding": "auto" });
        let Value::Array(messages) = self.request("POST", &path, &body) else { panic!("{path}: no list") };
        messages
    }

    /// Publishes a body as it is, to a queue that the exchange of the namespace is bound to.
    pub(crate) fn publish(&self, routing_key: &str, properties: &Value, body: &str) {
        let path = format!("exchanges/%2f/{}/publish", self.namespace);
        let message = json!({
            "properties": properties, "routing_key": routing_key, "payload": body, "payload_encoding": "string",
        });
        assert_eq!(self.request("POST", &path, &message)["routed"], json!(true));
    }

    /// Loses all messages of a queue, as a broker does whose volume is gone.
    pub(crate) fn purge(&self, queue: &str) {
        self.request("DELETE", &format!("queues/%2f/{}.{queue}/contents", self.namespace), &Value::Null);
    }

    /// Declares a queue as nobody of ours would.
    pub(crate) fn declare_classic(&self, queue: &str) {
        let path = format!("queues/%2f/{}.{queue}", self.namespace);
        self.request("PUT", &path, &json!({ "durable": true, "arguments": { "x-queue-type": "classic" } }));
    }

    /// Makes a user who has these rights (configure, write, read) and no tag.
    pub(crate) fn set_user(&self, name: &str, password: &str, rights: [&str; 3]) {
        let [configure, write, read] = rights;
        self.request("PUT", &format!("users/{name}"), &json!({ "password": password, "tags": "" }));
        let body = json!({ "configure": configure, "write": write, "read": read });
        self.request("PUT", &format!("permissions/%2f/{name}"), &body);
    }

    /// Takes a user away.
    pub(crate) fn delete_user(&self, name: &str) {
        self.request("DELETE", &format!("users/{name}"), &Value::Null);
    }

    /// Sets a policy for all queues of the namespace; returns its name.
    pub(crate) fn set_policy(&self, definition: &Value) -> String {
        let name = format!("policy-{}", self.namespace);
        let pattern = format!("^{}\\.", self.namespace);
        let body = json!({ "pattern": pattern, "definition": definition, "apply-to": "queues" });
        self.request("PUT", &format!("policies/%2f/{name}"), &body);
        name
    }

    /// Takes a policy away.
    pub(crate) fn clear_policy(&self, name: &str) {
        self.request("DELETE", &format!("policies/%2f/{name}"), &Value::Null);
    }

    /// Takes away a lane's binding, so that what is published to it finds no queue.
    pub(crate) fn unbind(&self, lane: &str) {
        let namespace = &self.namespace;
        let path = format!("bindings/%2f/e/{namespace}/q/{namespace}.{lane}/{lane}");
        self.request("DELETE", &path, &Value::Null);
    }

    fn request(&self, method: &str, path: &str, body: &Value) -> Value {
        let output = Command::new("curl")
            .args(["--silent", "--show-error", "--fail", "--request", method])
            .args(["--header", "content-type: application/json", "--data", &body.to_string()])
            .arg(format!("{}/api/{path}", self.url.trim_end_matches('/')))
            .stdin(Stdio::null())
            .output()
            .expect("curl is there");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{method} {path}: {error}");
        serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
    }
}

/// A variable that `./dev` sets.
pub(crate) fn variable(name: &str) -> String {
    #[expect(
        clippy::disallowed_methods,
        reason = "tests are told where the servers are, apart from what they configure"
    )]
    let value = std::env::var(name);
    value.unwrap_or_else(|_| panic!("{name} is not set: run the tests with `./dev test`"))
}
