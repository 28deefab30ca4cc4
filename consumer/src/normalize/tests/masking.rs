use serde_json::{Value, json};

use super::super::mask::{MASK, Mask};
use super::{conversation, rows};

/// The mask of a call from a line with these identifiers.
fn mask(identifiers: &[&str]) -> Mask {
    let turns: Vec<Value> = identifiers.iter().map(|own| json!({"user_identifier": own})).collect();
    Mask::new(&conversation(&json!({"conversation_id": "conv_1", "transcript": turns})).caller_line)
}

/// Asserts what becomes of texts on a line; `*` stands for the mask.
fn assert_masked(identifier: &str, cases: &[(&str, &str)]) {
    let mask = mask(&[identifier]);
    for (text, expected) in cases {
        assert_eq!(mask.text(text), expected.replace('*', MASK), "{identifier}: {text}");
    }
}

#[test]
fn a_number_is_found_with_any_separators() {
    assert_masked(
        "+525512345678",
        &[
            ("", ""),
            ("5512345678", "*"),
            ("Llama del 5512345678.", "Llama del *."),
            ("55 1234 5678", "*"),
            ("55-1234-5678, sí", "*, sí"),
            ("5.5.1.2.3.4.5.6.7.8", "*"),
            ("5, 5, 1, 2, 3, 4, 5, 6, 7, 8", "*"),
            ("55\u{a0}1234\u{2009}56\u{200b}78", "*"),
            ("55/1234_5678", "*"),
            ("55...  …  1234\n\n---\n5678", "*"),
            ("55 12 34 56 7", "*"),
            ("55 12 34 5", "*"),
            ("55 12 34", "55 12 34"),
            ("55 12 34 y 56 78", "*"),
            ("cincuenta y cinco", "cincuenta y cinco"),
            ("5512345678 5512345678", "* *"),
            ("a5512345678b", "a*b"),
        ],
    );
}

#[test]
fn the_country_code_goes_with_the_number() {
    assert_masked(
        "+525512345678",
        &[
            ("+525512345678", "*"),
            ("+52 (55) 1234-5678", "*"),
            ("(+52) 55 1234 5678", "*"),
            ("(55) 1234 5678", "*"),
            ("(5512345678)", "(*)"),
            ("(llame al 5512345678)", "(llame al *)"),
            ("0052 55 1234 5678", "*"),
            ("+52 1 55 1234 5678", "*"),
            ("52-55-12-34-56-78", "*"),
            ("+1 5512345678", "+1 *"),
            ("son 2 5512345678", "son 2 *"),
        ],
    );
    assert_masked(
        "5215512345678",
        &[("+52 55 1234 5678", "*"), ("+5215512345678", "*"), ("5512345678", "*")],
    );
    assert_masked("+14155552671", &[("1 (415) 555-2671", "*"), ("415.555.2671", "*"), ("+14155552671", "*")]);
    assert_masked("34 612 345 678", &[("+34 612 345 678", "*"), ("(34)612345678", "*")]);
}

#[test]
fn a_number_is_found_inside_a_longer_run_of_digits() {
    assert_masked(
        "+525512345678",
        &[
            ("99551234567800", "99*00"),
            ("folio 7-5512345678-1", "folio 7-*-1"),
            ("55123456785512345678", "**"),
            ("551234567 5512345678", "* *"),
        ],
    );
    assert_masked("5555555555", &[("555555555555555", "*55555"), ("55555555555555555555", "**")]);
}

#[test]
fn digits_of_other_scripts_are_digits() {
    assert_masked(
        "+525512345678",
        &[("５５１２３４５６７８", "*"), ("٥٥١٢٣٤٥٦٧٨!", "*!"), ("5️⃣5️⃣1 2345678", "*")],
    );
}

#[test]
fn a_short_number_is_masked_only_where_it_stands_alone() {
    assert_masked(
        "08912",
        &[
            ("mi extensión es 08912", "mi extensión es *"),
            ("me marcan al 08912, sí", "me marcan al *, sí"),
            ("mi número, cero ocho nueve doce", "mi número, *"),
            ("son 08912", "son 08912"),
            ("mi extensión es 1089123", "mi extensión es 1089123"),
            ("mi número cuesta 08912 pesos", "mi número cuesta 08912 pesos"),
            ("mi número cuesta $08912", "mi número cuesta $08912"),
        ],
    );
    assert_masked(
        "089",
        &[("línea 089", "línea 089"), ("marco al 089", "marco al *"), ("marco al 0891", "marco al 0891")],
    );
    assert_masked("12", &[("mi número es el 12", "mi número es el 12")]);
    assert_masked(
        "2345678",
        &[
            ("es 234-56-78", "es *"),
            ("es 92345678", "es 92345678"),
            ("son 2345678 pesos", "son 2345678 pesos"),
        ],
    );
}

#[test]
fn an_identifier_that_is_no_number_is_masked_as_it_is() {
    assert_masked(
        "Ana.Lima@example.org",
        &[
            ("es ana.lima@EXAMPLE.org.", "es *."),
            ("ana.lima, ana punto lima", "*, *"),
            ("ana lima", "ana lima"),
        ],
    );
    assert_masked("usr_X9k2", &[("USR_x9K2-1", "*-1"), ("usr", "usr")]);
    assert_masked("ñandú-ÁÉ", &[("ÑANDÚ-áé", "*"), ("«ñandú-áé»", "«*»")]);
    assert_masked(
        "juan.perez@correo.mx",
        &[("es Juan punto Pérez, arroba correo punto mx", "es *"), ("juan perez", "juan perez")],
    );
    assert_masked(
        "\"Juan Pérez\" <sip:anonymous@h>",
        &[("soy JUAN  PEREZ", "soy *"), ("soy Juan", "soy Juan"), ("Juan Pérezagua", "Juan Pérezagua")],
    );
    assert_masked("eva_luz99", &[("eva guion bajo luz99", "*"), ("eva luz99", "eva luz99")]);
    for (word, text) in [
        ("casa", "las casas de Casas Grandes"),
        ("guadalajara", "en Guadalajara"),
        ("desconocido", "me marcó un número desconocido"),
        ("denunciante anónimo", "un denunciante anónimo"),
        ("sin identificar", "sin identificar"),
        ("+5200000000000", "es el 0000000000"),
        ("Número Desconocido", "me marcó un número desconocido"),
        ("cliente", "un cliente"),
        ("anonymous", "an anonymous tip"),
        ("266696687", "es el 266696687"),
        ("+7378742833", "es el 7378742833"),
        ("0000000000", "es el 0000000000"),
        ("false", "false"),
    ] {
        assert_masked(word, &[(text, text)]);
    }
    assert_masked(" \u{0}", &[("nada ", "nada ")]);
}

#[test]
fn the_number_inside_an_address_is_found_too() {
    for identifier in [
        "sip:+525512345678@10.0.0.1:5060;user=phone",
        "SIPS:5512345678@example.org",
        "\"Ana\" <sip:5512345678@example.org;tag=1>",
        "tel:+52-55-1234-5678;ext=9",
        "whatsapp:+5215512345678",
        "5215512345678@s.whatsapp.net",
        "user-5512345678",
        "+52 55 1234 5678 x9",
    ] {
        assert_masked(identifier, &[("al 55 1234 5678, por favor", "al *, por favor")]);
    }
    assert_masked("sip:ana.lima@example.org", &[("soy ana.lima", "soy *"), ("ANA.LIMA@example.org", "*")]);
    assert_masked("sip:4711@example.org", &[("extensión 4711", "extensión *"), ("14711", "14711")]);
    assert_masked("sip:anonymous@anonymous.invalid", &[("anonymous", "anonymous")]);
}

#[test]
fn several_identifiers_are_masked_in_one_pass() {
    let mask = mask(&["+525512345678", "5587654321", "ana@example.org", "345678"]);
    for (text, expected) in [
        ("5512345678 o 5587654321 o ana@example.org", "* o * o *"),
        ("5512345678 ana@example.org", "* *"),
        ("55123456785587654321", "**"),
        ("mi extensión es 345678", "mi extensión es *"),
    ] {
        assert_eq!(mask.text(text), expected.replace('*', MASK), "{text}");
    }
}

#[test]
fn json_is_masked_at_any_depth_and_in_keys() {
    let mask = mask(&["+525512345678"]);
    for (json, expected) in [
        ("null", "null"),
        ("5512345678", r#""*""#),
        ("-525512345678.0", r#""*""#),
        ("5.512345678e9", r#""*""#),
        ("55123456780e-1", r#""*""#),
        ("551234567", r#""*""#),
        ("55123", "55123"),
        ("1.50", "1.50"),
        (r#"{"a":[{"b":"al 55 1234 5678"}]}"#, r#"{"a":[{"b":"al *"}]}"#),
        (r#"{"tel 5512345678":true}"#, r#"{"tel *":true}"#),
        (r#"["5","5","1","2","3","4","5","6","7","8"]"#, r#""*""#),
        ("[55,12,34,56,78]", r#""*""#),
        (r#"{"termina":"5678","ultimos_4":5678,"x":5678}"#, r#"{"termina":"*","ultimos_4":"*","x":5678}"#),
        (r#"{"a":1234,"b":5678,"lada":55}"#, r#"{"a":"*","b":"*","lada":55}"#),
        (r#"{"55":"1234","56":78}"#, r#"{"55":"*","56":"*"}"#),
        ("[55,12,34,56,79]", "[55,12,34,56,79]"),
        (r#"{"lada":"55","nombre":"Ana","numero":12345678}"#, r#"{"lada":"*","nombre":"Ana","numero":"*"}"#),
        (r#"{"tel 5512345678":1,"tel 55 1234 5678":2}"#, r#"{"tel *":2,"tel * (2)":1}"#),
    ] {
        let value: Value = serde_json::from_str(json).expect(json);
        let masked = &mask.values([("x", &value)].into_iter())["x"];
        assert_eq!(masked.to_string(), expected.replace('*', MASK), "{json}");
    }
}

#[test]
fn no_column_shows_the_line() {
    let line = "5512345678";
    let rows = rows(&json!({"conversation_id": "conv_1", "status": line, "user_id": "+525512345678",
        "transcript": [{"role": line, "message": line, "time_in_call_secs": 551_234.5}],
        "metadata": {"main_language": line, "call_duration_secs": 5_512_345_678_i64},
        "analysis": {"call_successful": line, "transcript_summary": line,
            "evaluation_criteria_results": {"55-1234-5678": line, "a": line},
            "data_collection_results": {"lugar": 5_512_345_678_i64, "modo": [line], "forma": line, line: line}}}));
    let text = serde_json::to_string(&(&rows.conversation, &rows.report)).expect("rows serialize");
    assert!(!text.contains(line), "{text}");
    assert_eq!(rows.conversation.transcripcion, format!("[551234.5s] UNKNOWN: {MASK}"));
    assert_eq!(rows.conversation.evaluacion, Some(json!({MASK: null, "a": null})));
    assert_eq!(rows.report.expect("a report").lugar.as_deref(), Some(MASK));
}

#[test]
fn a_documented_word_stays_whatever_the_caller_is_called() {
    let rows = rows(&json!({"conversation_id": "conv_1", "status": "done", "user_id": "done",
        "conversation_initiation_client_data": {"user_id": "agent"},
        "transcript": [{"role": "agent", "message": "The agent is done", "time_in_call_secs": 1}]}));
    assert_eq!(rows.conversation.estado.as_deref(), Some("done"));
    assert_eq!(rows.conversation.transcripcion, "[1.0s] AGENT: The agent is done");
}

#[test]
fn masking_bears_long_texts() {
    // Quadratic work on any of these would not end within a coffee break.
    let mask = mask(&["5555555555555", &"a ".repeat(50), "a1".repeat(50).as_str(), "12345"]);
    let texts = [
        "5".repeat(50_000),
        "5 ".repeat(50_000),
        "cinco ".repeat(25_000),
        "cincuenta y cinco mil ".repeat(50_000),
        "a1".repeat(25_000),
        "a ".repeat(50_000),
        "(+00".repeat(25_000),
        "un o ".repeat(25_000),
        "cinco".repeat(25_000),
    ];
    for (text, is_masked) in
        texts.into_iter().zip([true, true, true, false, false, true, false, false, false])
    {
        assert_eq!(mask.text(&text).contains(MASK), is_masked, "{}", &text[..20]);
        mask.values([("x", &json!([[[text]]]))].into_iter());
    }
}
