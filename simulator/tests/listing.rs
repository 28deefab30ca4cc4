//! Lists: order, pages, filters and what is refused.

mod support;

use std::collections::HashSet;

use serde_json::json;
use simulator::Settings;
use support::Visitor;

async fn visitor() -> Visitor {
    Visitor::new(Settings { conversations: 230, agents: 4, seed: 7, ..Settings::default() }).await
}

#[tokio::test]
async fn the_union_of_all_pages_is_every_id_once_and_newest_first() {
    let visitor = visitor().await;
    for page_size in [1, 7, 100] {
        let rows = visitor.rows(&format!("page_size={page_size}")).await;
        let starts: Vec<_> = rows.iter().map(|row| row["start_time_unix_secs"].as_i64().unwrap()).collect();
        assert!(starts.is_sorted_by(|newer, older| newer >= older));
        assert!(starts.windows(2).any(|pair| pair[0] == pair[1]), "some calls start in the same second");
        let ids: Vec<_> = rows.iter().map(|row| row["conversation_id"].as_str().unwrap()).collect();
        assert_eq!(ids, visitor.simulator.conversation_ids());
        assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 230);
    }
}

#[tokio::test]
async fn ascending_is_descending_backwards() {
    let visitor = visitor().await;
    let mut ascending = visitor.ids("sort_direction=asc&page_size=13").await;
    ascending.reverse();
    assert_eq!(ascending, visitor.simulator.conversation_ids());
}

#[tokio::test]
async fn a_page_has_thirty_rows_by_default() {
    let visitor = visitor().await;
    let page = visitor.get("/v1/convai/conversations").await.json();
    assert_eq!(page["conversations"].as_array().unwrap().len(), 30);
    assert_eq!(page["has_more"], json!(true));
}

#[tokio::test]
async fn a_page_size_of_101_is_a_422() {
    let visitor = visitor().await;
    let answer = visitor.get("/v1/convai/conversations?page_size=101").await;
    assert_eq!(answer.status, 422);
    assert_eq!(
        answer.json(),
        json!({ "detail": [{ "type": "less_than_equal", "loc": ["query", "page_size"], "input": "101",
            "msg": "Input should be less than or equal to 100", "ctx": { "le": 100 } }] })
    );
    assert_eq!(visitor.get("/v1/convai/conversations?page_size=0").await.status, 422);
    assert_eq!(visitor.get("/v1/convai/conversations?page_size=100").await.status, 200);
}

#[tokio::test]
async fn a_time_window_includes_both_its_ends() {
    let visitor = visitor().await;
    let rows = visitor.rows("page_size=100").await;
    let start = |position: usize| rows[position]["start_time_unix_secs"].as_i64().unwrap();
    let (newest, oldest) = (start(20), start(90));
    let query = format!("call_start_after_unix={oldest}&call_start_before_unix={newest}&page_size=10");
    let expected =
        rows.iter().filter(|row| (oldest..=newest).contains(&row["start_time_unix_secs"].as_i64().unwrap()));
    assert_eq!(visitor.rows(&query).await, expected.cloned().collect::<Vec<_>>());
    let crossed = format!("call_start_after_unix={newest}&call_start_before_unix={oldest}");
    assert!(visitor.rows(&crossed).await.is_empty());
}

#[tokio::test]
async fn filters_by_agent_status_and_result_are_kept() {
    let visitor = visitor().await;
    let mut seen = 0;
    for agent_id in visitor.simulator.agent_ids() {
        let rows = visitor.rows(&format!("agent_id={agent_id}&page_size=9")).await;
        assert!(rows.iter().all(|row| row["agent_id"] == json!(agent_id)));
        assert!(!rows.is_empty(), "every agent has calls, the deleted one too");
        seen += rows.len();
    }
    assert_eq!(seen, 230);
    let finished = visitor.rows("exclude_statuses=failed&exclude_statuses=in-progress").await;
    assert!(finished.len() < 230);
    assert!(finished.iter().all(|row| row["status"] == json!("done")));
    let lost = visitor.rows("call_successful=failure").await;
    assert!(!lost.is_empty() && lost.iter().all(|row| row["call_successful"] == json!("failure")));
}

#[tokio::test]
async fn an_unknown_agent_is_an_empty_page_and_an_unknown_parameter_is_ignored() {
    let visitor = visitor().await;
    let page = visitor.get("/v1/convai/conversations?agent_id=agent_none&limit=5000").await.json();
    assert_eq!(page, json!({ "conversations": [], "next_cursor": null, "has_more": false }));
}

#[tokio::test]
async fn the_summary_comes_only_when_asked_for() {
    let visitor = visitor().await;
    assert!(visitor.rows("").await.iter().all(|row| row["transcript_summary"].is_null()));
    let rows = visitor.rows("summary_mode=include").await;
    assert!(rows.iter().filter(|row| row["transcript_summary"].is_string()).count() > 200);
}

#[tokio::test]
async fn a_cursor_that_is_none_or_belongs_to_other_filters_is_a_400() {
    let visitor = visitor().await;
    let page = visitor.get("/v1/convai/conversations?page_size=5").await.json();
    let cursor = page["next_cursor"].as_str().unwrap();
    let urls =
        ["cursor=abc".to_owned(), "cursor=ñ".to_owned(), format!("cursor={cursor}&agent_id=agent_none")];
    for query in urls {
        let answer = visitor.get(&format!("/v1/convai/conversations?{query}")).await;
        assert_eq!((answer.status, answer.detail("code").as_str()), (400, "invalid_cursor"), "{query}");
        assert_eq!(answer.detail("type"), "validation_error");
    }
}

#[tokio::test]
async fn calls_added_while_paging_do_not_disturb_the_pages() {
    let visitor = visitor().await;
    let before = visitor.simulator.conversation_ids();
    let page = visitor.get("/v1/convai/conversations?page_size=50").await.json();
    let added = visitor.simulator.add_conversations(20);
    let cursor = page["next_cursor"].as_str().unwrap();
    let next = visitor.get(&format!("/v1/convai/conversations?page_size=50&cursor={cursor}")).await.json();
    let ids: Vec<_> = next["conversations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["conversation_id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, before[50..100]);
    let mut newest = visitor.ids("").await[..20].to_vec();
    newest.reverse();
    assert_eq!(newest, added, "the last added comes first");
}

#[tokio::test]
async fn a_row_tells_what_its_detail_tells() {
    let visitor = visitor().await;
    for row in visitor.rows("summary_mode=include&page_size=100").await {
        let detail = visitor.detail(row["conversation_id"].as_str().unwrap()).await;
        let spoken = detail["transcript"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|turn| turn["message"].is_string())
            .count();
        assert_eq!(row["message_count"], json!(spoken));
        assert_eq!(row["agent_id"], detail["agent_id"]);
        assert_eq!(row["agent_name"], detail["agent_name"]);
        assert_eq!(row["status"], detail["status"]);
        assert_eq!(row["start_time_unix_secs"], detail["metadata"]["start_time_unix_secs"]);
        assert_eq!(row["call_duration_secs"], detail["metadata"]["call_duration_secs"]);
        assert_eq!(row["termination_reason"], detail["metadata"]["termination_reason"]);
        assert_eq!(row["main_language"], detail["metadata"]["main_language"]);
        assert_eq!(row["rating"], detail["metadata"]["feedback"]["rating"]);
        let analysis = &detail["analysis"];
        assert_eq!(row["transcript_summary"], analysis["transcript_summary"]);
        assert_eq!(row["call_summary_title"], analysis["call_summary_title"]);
        let success =
            if analysis.is_null() { "unknown" } else { analysis["call_successful"].as_str().unwrap() };
        assert_eq!(row["call_successful"], json!(success));
    }
}

#[tokio::test]
async fn the_deleted_agent_is_gone_and_the_others_are_found() {
    let visitor = visitor().await;
    let deleted = visitor.simulator.deleted_agent_id().unwrap().to_owned();
    let first = visitor.get("/v1/convai/agents?page_size=2").await.json();
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = visitor.get(&format!("/v1/convai/agents?page_size=2&cursor={cursor}")).await.json();
    let mut listed = vec![];
    for agent in [first, second].iter().flat_map(|page| page["agents"].as_array().unwrap()) {
        listed.push(agent["agent_id"].as_str().unwrap().to_owned());
    }
    assert_eq!(listed.len(), 3);
    assert!(!listed.contains(&deleted));
    assert!(listed.iter().any(|id| id.len() == 20), "one agent has an id of the older form");
    for id in listed {
        assert_eq!(visitor.get(&format!("/v1/convai/agents/{id}")).await.status, 200);
    }
    let answer = visitor.get(&format!("/v1/convai/agents/{deleted}")).await;
    assert_eq!((answer.status, answer.detail("code").as_str()), (404, "agent_not_found"));
}

/// Lists read what details write; with several threads a careless lock stops both for ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn lists_and_details_at_once_do_not_wait_for_each_other() {
    let visitor = visitor().await;
    let ids = visitor.simulator.conversation_ids();
    let lists = async {
        for _ in 0..40 {
            visitor.get("/v1/convai/conversations?page_size=100&summary_mode=include").await;
        }
    };
    let details = |from: usize| {
        let (visitor, ids) = (&visitor, &ids);
        async move {
            for id in ids.iter().skip(from).step_by(3) {
                visitor.detail(id).await;
            }
        }
    };
    let added = async {
        for _ in 0..20 {
            visitor.control(reqwest::Method::POST, "conversations?n=1", "").await;
        }
    };
    let all = async { tokio::join!(lists, details(0), details(1), details(2), added) };
    tokio::time::timeout(std::time::Duration::from_mins(10), all).await.unwrap();
    assert_eq!(visitor.simulator.served().status_2xx, 270);
}
