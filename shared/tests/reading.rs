//! The reader finds a line in every form in which the simulator has it said, and not in what stands beside it.

use shared::testing::reading::tells_line;
use simulator::voice::{FORMS, KINDS, any, other};
use simulator::{Settings, Simulator};

/// Numbers of which each has something that is said in a way of its own: zeros, teens, repeated digits.
const LINES: [&str; 8] = [
    "5512345678",
    "3312500500",
    "8110203040",
    "5561000200",
    "9991112233",
    "5521345055",
    "4421000007",
    "2223334445",
];

/// Turns of a stored call.
fn transcript(texts: &[String]) -> String {
    let turns = texts.iter().enumerate().map(|(place, text)| {
        let text = text.replace('\n', " ");
        format!("[{place}.0s] USER: Sí, {text}\n[{place}.5s] AGENT: Sí, le escucho.")
    });
    turns.collect::<Vec<_>>().join("\n")
}

#[test]
fn every_form_is_read() {
    for line in LINES {
        for form in FORMS {
            for seed in 0..8 {
                let texts = form.say(line, seed);
                assert!(tells_line(&transcript(&texts), line), "{}: {texts:?}", form.name);
            }
        }
    }
}

#[test]
fn forms_that_are_drawn_are_read() {
    for line in LINES {
        for seed in 0..400 {
            let texts = any(line, seed);
            assert!(tells_line(&transcript(&texts), line), "{line}: {texts:?}");
        }
    }
}

#[test]
fn what_stands_beside_a_line_is_not_read_as_it() {
    for line in LINES {
        for kind in 0..KINDS {
            for seed in 0..50 {
                let sentence = other(line, kind, seed).sentence;
                assert!(
                    !tells_line(&transcript(std::slice::from_ref(&sentence)), line),
                    "{line}: {sentence}"
                );
            }
        }
    }
}

#[tokio::test]
async fn no_line_is_read_in_calls_that_do_not_tell_it() {
    let settings = Settings { conversations: 600, seed: 89, ..Settings::default() };
    let simulator = Simulator::start(settings).await.expect("a port is free");
    let mut read = 0;
    for id in simulator.conversation_ids() {
        let (detail, planted) = (simulator.conversation_json(&id), simulator.planted(&id));
        let (detail, planted) = (detail.expect("it is listed"), planted.expect("it is listed"));
        let turns = detail["transcript"].as_array().expect("a list").iter();
        let texts: Vec<String> =
            turns.filter_map(|turn| turn["message"].as_str().map(str::to_owned)).collect();
        let aloud = ["Le confirmo el número", "Su clave de usuario"];
        let is_read_aloud = texts.iter().any(|text| aloud.iter().any(|words| text.starts_with(words)));
        let Some(line) = planted.line.filter(|_| planted.forms.is_empty() && !is_read_aloud) else {
            continue;
        };
        let analysis = &detail["analysis"];
        let summary = analysis["transcript_summary"].as_str().unwrap_or_default();
        assert!(!tells_line(&transcript(&texts), &line), "{id}: {line} is read in {texts:?}");
        assert!(!tells_line(summary, &line), "{id}: {line} is read in {summary}");
        read += 1;
    }
    assert!(read > 100, "only {read} calls were read");
    simulator.stop().await;
}
