//! Telephone numbers as people say them.

mod support;

use std::collections::HashSet;

use serde_json::Value;
use simulator::Settings;
use simulator::voice::{FORMS, KINDS, Other, any, other};
use support::Visitor;

const NUMBER: &str = "5512345078";

fn form(name: &str) -> Vec<String> {
    FORMS.iter().find(|form| form.name == name).expect("a form of this name").say(NUMBER, 1)
}

#[test]
fn each_form_has_a_name_and_texts_of_its_own() {
    let names: HashSet<_> = FORMS.iter().map(|form| form.name).collect();
    assert_eq!(names.len(), FORMS.len());
    let texts: HashSet<_> = FORMS.iter().map(|form| form.say(NUMBER, 1)).collect();
    assert_eq!(texts.len(), FORMS.len());
    assert!(FORMS.len() >= 60);
    for form in FORMS {
        assert_eq!(form.say(NUMBER, 7), form.say(NUMBER, 7), "{}", form.name);
        assert!(form.say(NUMBER, 7).iter().all(|text| !text.trim().is_empty()), "{}", form.name);
    }
}

#[test]
fn forms_are_what_people_say() {
    for (name, texts) in [
        ("spoken hyphens", &["55 guion 1234 guion 5078"][..]),
        ("words, 2-4-4", &["cinco cinco, uno dos tres cuatro, cinco cero siete ocho"]),
        ("tens with y", &["cincuenta y cinco doce treinta y cuatro cincuenta setenta y ocho"]),
        ("tens run together", &["cincuentaicinco doce treintaicuatro cincuenta setentaiocho"]),
        ("hundreds", &["quinientos cincuenta y uno, doscientos treinta y cuatro, cincuenta, setenta y ocho"]),
        ("thousands", &["cincuenta y cinco, mil doscientos treinta y cuatro, cinco mil setenta y ocho"]),
        ("doubles and triples", &["doble cinco uno dos tres cuatro cinco cero siete ocho"]),
        ("english", &["five five one two three four five zero seven eight"]),
        ("devanagari", &["५५१२३४५०७८"]),
        ("circled", &["⑤⑤①②③④⑤⓪⑦⑧"]),
        ("corrected", &["5512 54, no, perdón, 345078"]),
        ("two turns", &["55 12 34", "50 78"]),
        ("three turns, tens", &["cincuenta y cinco doce", "treinta y cuatro cincuenta", "setenta y ocho"]),
    ] {
        assert_eq!(form(name), texts, "{name}");
    }
}

#[test]
fn a_form_that_is_drawn_is_one_of_very_many() {
    let drawn: HashSet<_> = (0..2000).map(|seed| any(NUMBER, seed)).collect();
    assert!(drawn.len() > 1800, "{}", drawn.len());
    assert_eq!(any(NUMBER, 9), any(NUMBER, 9));
    for turns in 1..=3 {
        assert!(drawn.iter().any(|texts| texts.len() == turns), "{turns} turns");
    }
}

/// The texts that a consumer keeps.
fn kept_texts(detail: &Value) -> (String, String, String) {
    let turns = detail["transcript"].as_array().expect("a list").iter();
    let turns: Vec<_> = turns.filter_map(|turn| turn["message"].as_str()).collect();
    let summary = detail["analysis"]["transcript_summary"].as_str().unwrap_or_default().to_owned();
    (turns.join("\n"), summary, detail["analysis"]["data_collection_results"].to_string())
}

fn simulator_of(conversations: u32) -> Settings {
    Settings { conversations, agents: 4, seed: 7, ..Settings::default() }
}

#[tokio::test]
async fn a_few_hundred_calls_tell_the_line_in_every_form_and_others_beside_it() {
    let visitor = Visitor::new(simulator_of(400)).await;
    let (mut forms, mut calls, mut split, mut withheld) = (HashSet::new(), 0, 0, 0);
    for id in visitor.simulator.conversation_ids() {
        let planted = visitor.simulator.planted(&id).expect("there is such a call");
        let (turns, summary, items) = kept_texts(&visitor.detail(&id).await);
        for told in &planted.told {
            assert!(turns.contains(told.as_str()) || summary.contains(told.as_str()), "{id}: {told}");
        }
        for kept in &planted.kept {
            assert!(turns.contains(kept.as_str()), "{id}: {kept}");
        }
        if let Some(stranger) = &planted.stranger {
            assert!(summary.contains(stranger) && items.contains(stranger), "{id}: {stranger}");
            assert!(planted.line.is_some());
        }
        withheld += usize::from(planted.line.is_none() && !planted.kept.is_empty());
        calls += usize::from(!planted.forms.is_empty());
        split += usize::from(planted.forms.first().is_some_and(|name| name.contains("turns")));
        forms.extend(planted.forms);
    }
    let missing: Vec<_> = FORMS.iter().map(|form| form.name).filter(|name| !forms.contains(name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!((40..120).contains(&calls), "{calls} of 400 calls tell the line");
    assert!(split > 3 && withheld > 3, "{split} in several turns, {withheld} withheld");
}

#[tokio::test]
async fn the_line_stands_in_fields_of_every_kind() {
    let visitor = Visitor::new(simulator_of(400)).await;
    let mut seen = HashSet::new();
    for id in visitor.simulator.conversation_ids() {
        let detail = visitor.detail(&id).await;
        let variables = &detail["conversation_initiation_client_data"]["dynamic_variables"];
        let (call, whatsapp) = (&detail["metadata"]["phone_call"], &detail["metadata"]["whatsapp"]);
        let external = call["external_number"].as_str().unwrap_or_default();
        let Some(line) = visitor.simulator.planted(&id).and_then(|planted| planted.line) else {
            let is_anonymous = external == "anonymous" && variables["system__caller_id"] == "anonymous";
            seen.extend(is_anonymous.then_some("withheld"));
            continue;
        };
        let holds = |value: &Value| value.to_string().contains(&line);
        let mut see = |what, is_seen: bool| seen.extend(is_seen.then_some(what));
        see("reported", external.ends_with(&line));
        see("a comma after it", external.ends_with(",12"));
        see("a hash after it", external.ends_with("#12"));
        see("an extension", external.ends_with("-101"));
        see("a display name", external.starts_with('"'));
        see("SIP headers alone", external == "anonymous" && holds(&call["sip_header_dynamic_variables"]));
        see(
            "a recipient",
            holds(&whatsapp["recipient"]["phone"]) && whatsapp["recipient"]["bsuid"].is_string(),
        );
        see("with a point", variables["system__caller_id"].is_f64());
        for name in ["telefono_reportante", "caller_id", "customer_phone", "dato_7"] {
            see(name, external == "anonymous" && holds(&variables[name]));
        }
    }
    assert_eq!(seen.len(), 13, "{seen:?}");
}

#[test]
fn what_others_say_is_not_the_line() {
    for seed in 0..500 {
        for kind in 0..KINDS {
            let Other { sentence, kept } = other(NUMBER, kind, seed);
            assert!(sentence.contains(&kept), "{sentence}");
            let digits: String = kept.chars().filter(char::is_ascii_digit).collect();
            let differ = digits.bytes().zip(NUMBER.bytes()).filter(|(one, other)| one != other).count();
            assert!(kind > 1 || digits.len() == 10 && differ >= 3, "{kept}");
        }
    }
}
