//! The reader finds a line in every form in which the simulator has it said, and not in what stands beside it.

use shared::testing::reading::tells_line;
use simulator::voice::{FORMS, KINDS, any, other};

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
