use std::time::{Duration, SystemTime};

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::*;

fn classified(status: u16, body: &str) -> ApiError {
    classify(StatusCode::from_u16(status).expect("a status"), &HeaderMap::new(), body.as_bytes(), now())
}

/// 2026-11-22 12:00:00 UTC.
fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_hours(498_708)
}

const CURRENT_401: &str = r#"{"detail":{"type":"authentication_error","code":"unauthorized","status":"missing_permissions",
    "message":"The API key you used is missing the permission convai_read","request_id":"0f"}}"#;
const CURRENT_404: &str = r#"{"detail":{"type":"not_found","code":"conversation_not_found","status":"conversation_history_not_found"}}"#;
const LEGACY_404: &str = r#"{"detail":{"status":"conversation_history_not_found","message":"…"}}"#;
const AGENT_404: &str = r#"{"detail":{"type":"not_found","code":"agent_not_found"}}"#;
const TYPE_404: &str = r#"{"detail":{"type":"not_found"}}"#;
const ROUTE_404: &str = r#"{"detail":"Not Found"}"#;
const AUDIO_404: &str = r#"{"detail":{"status":"missing_conversation_audio"}}"#;
const VALIDATION_422: &str =
    r#"{"detail":[{"type":"less_than_equal","loc":["query","page_size"],"msg":"Input …","input":"101"}]}"#;

#[test]
fn each_answer_has_its_class_its_status_and_its_level() {
    for (status, body, class, is_service_level) in [
        (429, "", "throttled", false),
        (401, CURRENT_401, "key_refused", false),
        (403, "<html>", "key_refused", false),
        (404, CURRENT_404, "not_found", false),
        (404, LEGACY_404, "not_found", false),
        (404, AGENT_404, "not_found", false),
        (404, TYPE_404, "not_found", false),
        (404, ROUTE_404, "service", true),
        (404, AUDIO_404, "service", true),
        (404, "", "service", true),
        (404, "<html>nginx</html>", "service", true),
        (400, r#"{"detail":{"type":"validation_error","code":"invalid_cursor"}}"#, "refused", false),
        (422, VALIDATION_422, "refused", false),
        (301, "", "service", true),
        (308, "", "service", true),
        (402, "", "service", true),
        (405, "", "service", true),
        (408, "", "service", true),
        (409, "", "service", true),
        (500, "", "server_error", true),
        (503, CURRENT_404, "server_error", true),
        (599, "[]", "server_error", true),
    ] {
        let error = classified(status, body);
        assert_eq!(error.class(), class, "{status} {body}");
        assert_eq!(error.http_status(), Some(status), "{status} {body}");
        assert_eq!(error.is_service_level(), is_service_level, "{status} {body}");
    }
}

#[test]
fn failures_without_a_status_have_theirs_too() {
    let lost = ApiError::Connection { phase: super::super::error::Phase::Body, kind: None };
    for (error, class, status, is_service_level) in [
        (ApiError::Timeout, "timeout", None, true),
        (lost, "connection", None, true),
        (ApiError::NotJson { bytes: 7 }, "malformed", Some(200), true),
        (ApiError::MALFORMED, "malformed", Some(200), false),
        (ApiError::TooLarge { limit: 9 }, "too_large", Some(200), false),
    ] {
        assert_eq!(
            (error.class(), error.http_status(), error.is_service_level()),
            (class, status, is_service_level)
        );
    }
}

#[test]
fn only_machine_tokens_leave_an_error_body() {
    let error = classified(401, CURRENT_401);
    assert!(error.detail().expect("a detail").says("missing_permissions"));
    assert_eq!(
        error.to_string(),
        "the API key is refused: status 401 (authentication_error, unauthorized, missing_permissions)"
    );
    assert_eq!(classified(422, VALIDATION_422).to_string(), "refused: status 422 (less_than_equal)");
    let long = format!(r#"{{"detail":{{"code":"{}"}}}}"#, "a".repeat(65));
    for body in [
        r#"{"detail":{"code":"María de la Luz","status":"5512345678 called","type":"Öl"}}"#,
        r#"{"detail":{"code":12,"status":null,"type":["x"]}}"#,
        r#"{"detail":[]}"#,
        r#"{"detail":["secret_text"]}"#,
        r#"{"detail":"secret_text"}"#,
        r#"["secret_text"]"#,
        r#"{"code":"outside"}"#,
        "secret_text",
        &long,
    ] {
        assert_eq!(classified(500, body).to_string(), "server error: status 500", "{body}");
    }
}

#[test]
fn the_wait_is_read_from_seconds_a_date_or_the_reset() {
    for (header, value, expected) in [
        ("retry-after", "7", Some(7)),
        ("retry-after", " 0 ", Some(0)),
        ("retry-after", "1.5", Some(1)),
        ("retry-after", "Sun, 22 Nov 2026 12:00:30 GMT", Some(30)),
        ("retry-after", "Sun, 22 Nov 2026 11:00:00 GMT", Some(0)),
        ("retry-after", "99999999999999", Some(86_400)),
        ("retry-after", "-3", None),
        ("retry-after", "soon", None),
        ("retry-after", "inf", None),
        ("retry-after", "NaN", None),
        ("x-ratelimit-reset", "1795348860", Some(60)),
        ("x-ratelimit-reset", "1795348000", Some(0)),
        ("x-ratelimit-reset", "1e18", Some(86_400)),
        ("x-ratelimit-reset", "later", None),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert(HeaderName::from_static(header), HeaderValue::from_static(value));
        let ApiError::Throttled { retry_after, .. } =
            classify(StatusCode::TOO_MANY_REQUESTS, &headers, b"", now())
        else {
            panic!("429 is throttled");
        };
        assert_eq!(retry_after.map(|wait| wait.as_secs()), expected, "{header}: {value}");
    }
}

#[test]
fn retry_after_wins_over_the_reset_unless_it_says_nothing() {
    for (value, expected) in [("5", 5), ("soon", 60)] {
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", HeaderValue::from_static(value));
        headers.insert("x-ratelimit-reset", HeaderValue::from_static("1795348860"));
        assert_eq!(retry_after(&headers, now()), Some(Duration::from_secs(expected)));
    }
}

#[test]
fn a_number_is_no_token() {
    let tokens = |text: &str| {
        let body = serde_json::json!({ "detail": { "status": text } }).to_string();
        detail(body.as_bytes()).tokens().map(str::to_owned).collect::<Vec<_>>()
    };
    for number in ["5512345678", "55_1234_5678", "user_5512345678", "call_55123", "sk_0a1b2c3d4e5f"] {
        assert_eq!(tokens(number), [""; 0], "{number}");
    }
    for token in ["error_429", "v1_not_found", "http_2", "rate_limit_exceeded"] {
        assert_eq!(tokens(token), [token]);
    }
}
