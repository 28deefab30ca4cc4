//! Telephone numbers as people say them.

use std::collections::HashSet;

use simulator::voice::{FORMS, any};

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
