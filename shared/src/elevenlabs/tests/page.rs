use super::*;

fn page(body: &str) -> Page {
    Page::parse(&ListQuery::default(), body.as_bytes(), None).expect(body)
}

#[test]
fn an_item_needs_nothing_but_an_id() {
    let page = page(r#"{"conversations":[{"conversation_id":"conv_1"}],"has_more":false}"#);
    let item = &page.items[0];
    assert_eq!(item.conversation_id.as_str(), "conv_1");
    assert_eq!((&item.agent_id, item.start, &item.status), (&None, None, &Status::default()));
    assert_eq!((page.unusable, page.next_cursor), (0, None));
}

#[test]
fn an_odd_item_is_counted_and_does_not_sink_its_page() {
    let page = page(
        r#"{"conversations":[null,7,"x",[],{},{"conversation_id":5},{"conversation_id":"a b"},
            {"conversation_id":"conv_2","agent_id":"agent 1","start_time_unix_secs":"soon","status":9,
             "call_duration_secs":{},"call_successful":null},
            {"conversation_id":"conv_3","agent_id":"agent_1","start_time_unix_secs":1795348800,"status":"done",
             "call_duration_secs":63.0,"call_successful":"success","new_field":[{"deep":1}]}],
            "has_more":true,"next_cursor":"c2"}"#,
    );
    assert_eq!(page.unusable, 7);
    assert_eq!(page.items.len(), 2);
    assert_eq!((page.items[0].agent_id.as_ref(), page.items[0].start), (None, None));
    let whole = &page.items[1];
    assert_eq!(whole.agent_id.as_ref().map(AgentId::as_str), Some("agent_1"));
    assert_eq!(whole.start.map(|start| start.timestamp()), Some(1_795_348_800));
    assert_eq!((&whole.status, whole.call_duration_secs), (&Status::Done, Some(63)));
    assert_eq!(whole.call_successful.as_deref(), Some("success"));
    assert_eq!(page.next_cursor.as_deref(), Some("c2"));
}

#[test]
fn a_start_that_cannot_be_is_none() {
    for (start, is_sane) in [
        ("1795348800", true),
        ("1795348800.9", true),
        ("1420070401", true),
        ("1420070400", false),
        ("0", false),
        ("-5", false),
        ("1e300", false),
        ("9223372036854775807", false),
        ("1795348800000", true),
        ("\"1795348800\"", true),
        ("100000000000", false),
        ("253402300799", false),
        ("99999999999999999999999999", false),
        ("null", false),
    ] {
        let body =
            format!(r#"{{"conversations":[{{"conversation_id":"c","start_time_unix_secs":{start}}}]}}"#);
        assert_eq!(page(&body).items[0].start.is_some(), is_sane, "{start}");
    }
}

#[test]
fn the_list_ends_where_following_the_cursor_would_not() {
    for (has_more, next, sent, expected) in [
        (Some(true), Some("b"), None, Some("b")),
        (Some(true), Some("b"), Some("a"), Some("b")),
        (Some(true), Some("a"), Some("a"), None),
        (Some(true), Some(""), None, None),
        (Some(true), None, None, None),
        (Some(false), Some("b"), None, None),
        (None, Some("b"), None, Some("b")),
        (None, None, None, None),
    ] {
        let cursor = next_cursor(has_more, next.map(String::from), sent);
        assert_eq!(cursor.as_deref(), expected, "{has_more:?} {next:?} {sent:?}");
    }
}

#[test]
fn what_is_no_page_is_malformed_and_not_an_empty_page() {
    for body in ["{}", "[]", "7", r#"{"detail":"x"}"#, r#"{"conversations":null}"#, r#"{"conversations":{}}"#]
    {
        let error = Page::parse(&ListQuery::default(), body.as_bytes(), None).expect_err(body);
        assert!(matches!(error, ApiError::Malformed { .. }), "{body}: {error:?}");
    }
    for body in ["", "<html>", r#"{"conversations":["#] {
        let error = Page::parse(&ListQuery::default(), body.as_bytes(), None).expect_err(body);
        assert!(matches!(error, ApiError::NotJson { .. }), "{body}: {error:?}");
    }
}

#[test]
fn only_parameters_that_were_asked_for_are_sent() {
    assert_eq!(ListQuery::default().parameters(), [("page_size", "100".to_owned())]);
    let query = ListQuery {
        agent_id: AgentId::parse("agent_1").ok(),
        call_start_after_unix: Some(-1),
        call_start_before_unix: Some(2),
        cursor: Some("c".into()),
        page_size: 0,
    };
    let names_and_values = [
        ("page_size", "1"),
        ("agent_id", "agent_1"),
        ("call_start_after_unix", "-1"),
        ("call_start_before_unix", "2"),
        ("cursor", "c"),
    ];
    assert_eq!(query.parameters(), names_and_values.map(|(name, value)| (name, value.to_owned())));
}

#[test]
fn a_page_that_is_almost_json_goes_on() {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let page = page(&format!(
        r#"{{"conversations":[
            {{"conversation_id":"conv_1","status":"done","rating":NaN}},
            {{"conversation_id":"conv_2","call_summary_title":"x\ud83d","status":"done","status":"failed"}},
            {{"conversation_id":"conv_3","status":{deep},"agent_id":"agent_1"}},
            {{"conversation_id":"conv_4","call_duration_secs":"60"}}, NaN],
            "has_more":"true","next_cursor":123456}}"#
    ));
    let ids: Vec<_> = page.items.iter().map(|item| item.conversation_id.as_str()).collect();
    assert_eq!((ids, page.unusable), (vec!["conv_1", "conv_2", "conv_3", "conv_4"], 1));
    assert_eq!((&page.items[1].status, page.items[3].call_duration_secs), (&Status::Failed, Some(60)));
    assert_eq!(page.items[2].agent_id.as_ref().map(AgentId::as_str), Some("agent_1"));
    assert_eq!((page.next_cursor.as_deref(), page.is_cut_short), (Some("123456"), false));
}

#[test]
fn an_item_with_a_key_twice_does_not_cost_its_page_anything() {
    let page = page(r#"{"conversations":[{"conversation_id":"conv_1","status":"done","status":"failed"}]}"#);
    assert_eq!((page.items[0].status.clone(), page.unusable), (Status::Failed, 0));
}

#[test]
fn what_a_page_needs_may_be_said_twice() {
    let item = r#"{"conversation_id":"conv_1"}"#;
    for other in ["null", "5", "false", "\"\"", "\"x y\"", "[]", "{}"] {
        for body in [
            format!(r#"{{"conversations":[{item}],"conversations":{other}}}"#),
            format!(r#"{{"conversations":{other},"conversations":[{item}]}}"#),
            format!(r#"{{"conversations":[{{"conversation_id":"conv_1","conversation_id":{other}}}]}}"#),
            format!(r#"{{"conversations":[{{"conversation_id":{other},"conversation_id":"conv_1"}}]}}"#),
            format!(
                r#"{{"conversations":[{{"conversation_id":["x"],"conversation_id":"conv_1"}}],"x":{other}}}"#
            ),
            format!(r#"{{"next_cursor":"c","next_cursor":{other},"conversations":[{item}]}}"#),
        ] {
            let page = page(&body);
            let ids: Vec<_> = page.items.iter().map(|item| item.conversation_id.as_str()).collect();
            assert_eq!((ids, page.unusable), (vec!["conv_1"], 0), "{body}");
            assert!(!body.contains("next_cursor") || page.next_cursor.is_some(), "{body}");
        }
    }
}
