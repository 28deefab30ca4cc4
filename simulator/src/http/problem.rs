//! Everything the API answers when it does not answer 200.

use std::time::Duration;

use serde_json::{Value, json};

/// A refusal, in the words of the API.
#[derive(Clone, Debug)]
pub(crate) enum Problem {
    /// `FastAPI`'s list of what is wrong with the parameters.
    Invalid(Vec<Value>),
    /// An error with type, code and status.
    Api(Api),
    /// `FastAPI`'s own answers outside any route.
    Plain(u16, &'static str),
}

/// An error of the documented shape.
#[derive(Clone, Debug)]
pub(crate) struct Api {
    http: u16,
    kind: &'static str,
    code: &'static str,
    status: &'static str,
    message: String,
    pub(crate) retry_after: Option<Duration>,
}

const fn api(http: u16, kind: &'static str, code: &'static str, status: &'static str) -> Api {
    Api { http, kind, code, status, message: String::new(), retry_after: None }
}

impl Api {
    fn saying(mut self, message: impl Into<String>) -> Problem {
        self.message = message.into();
        Problem::Api(self)
    }
}

impl Problem {
    pub(crate) fn no_key() -> Self {
        api(401, "authentication_error", "unauthorized", "needs_authorization")
            .saying("Neither authorization header nor xi-api-key received, please provide one.")
    }

    pub(crate) fn bearer() -> Self {
        api(401, "authentication_error", "unauthorized", "invalid_authorization_header")
            .saying("Invalid authorization header, an API key goes into xi-api-key.")
    }

    pub(crate) fn wrong_key() -> Self {
        api(401, "authentication_error", "unauthorized", "invalid_api_key").saying("Invalid API key")
    }

    pub(crate) fn missing_scope() -> Self {
        api(401, "authentication_error", "unauthorized", "missing_permissions")
            .saying("The API key you used is missing the permission convai_read to execute this operation.")
    }

    pub(crate) fn no_conversation(id: &str) -> Self {
        api(404, "not_found", "conversation_not_found", "conversation_history_not_found")
            .saying(format!("Conversation with the id {id} was not found."))
    }

    pub(crate) fn no_agent(id: &str) -> Self {
        api(404, "not_found", "agent_not_found", "agent_not_found")
            .saying(format!("Agent with the id {id} was not found."))
    }

    pub(crate) fn no_audio() -> Self {
        api(404, "not_found", "conversation_audio_not_found", "missing_conversation_audio")
            .saying("This conversation has no audio.")
    }

    pub(crate) fn bad_cursor() -> Self {
        api(400, "validation_error", "invalid_cursor", "invalid_cursor")
            .saying("The cursor is invalid or expired.")
    }

    pub(crate) fn too_many(retry_after: Option<Duration>) -> Self {
        Self::Api(Api {
            retry_after,
            message: "Too many requests in a short time.".to_owned(),
            ..api(429, "rate_limit_error", "rate_limit_exceeded", "rate_limit_exceeded")
        })
    }

    pub(crate) fn too_many_at_once(retry_after: Option<Duration>) -> Self {
        Self::Api(Api {
            retry_after,
            message: "Too many concurrent requests.".to_owned(),
            ..api(429, "rate_limit_error", "concurrent_limit_exceeded", "too_many_concurrent_requests")
        })
    }

    pub(crate) fn outage() -> Self {
        api(503, "service_unavailable", "service_unavailable", "service_unavailable")
            .saying("The service is temporarily unavailable.")
    }

    /// One of the 5xx answers.
    pub(crate) fn server(choice: usize) -> Self {
        match choice % 4 {
            0 => {
                api(500, "internal_error", "internal_error", "internal_error").saying("Internal server error")
            }
            1 => Self::Plain(502, "Bad Gateway"),
            2 => Self::outage(),
            _ => Self::Plain(504, "Gateway Timeout"),
        }
    }

    pub(crate) fn status(&self) -> u16 {
        match self {
            Self::Invalid(_) => 422,
            Self::Api(api) => api.http,
            Self::Plain(status, _) => *status,
        }
    }

    pub(crate) fn retry_after(&self) -> Option<Duration> {
        if let Self::Api(api) = self { api.retry_after } else { None }
    }

    /// The body; `is_legacy` leaves status and message only.
    pub(crate) fn body(&self, request_id: &str, is_legacy: bool) -> Value {
        match self {
            Self::Invalid(problems) => json!({ "detail": problems }),
            Self::Plain(_, text) => json!({ "detail": text }),
            Self::Api(api) if is_legacy => {
                json!({ "detail": { "status": api.status, "message": api.message } })
            }
            Self::Api(api) => json!({ "detail": {
                "type": api.kind, "code": api.code, "status": api.status, "message": api.message,
                "request_id": request_id,
            } }),
        }
    }
}
