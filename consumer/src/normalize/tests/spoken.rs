//! The line as it is said, and what is not the line.

use serde_json::{Value, json};

use super::super::mask::MASK;
use super::rows;

/// A call from `+525512345678`, or another identifier, in which this was said: `U:` and `A:` begin a turn.
fn transcript(identifier: &str, call: &str) -> String {
    let turns: Vec<Value> = call
        .split('⏎')
        .map(|turn| match turn.trim().split_once(": ") {
            Some(("A", text)) => json!({"role": "agent", "message": text}),
            Some(("U", text)) => json!({"role": "user", "message": text}),
            _ => json!({"role": "user", "message": turn.trim()}),
        })
        .collect();
    let body = json!({"conversation_id": "conv_1", "metadata": {"phone_call": {"external_number": identifier}}, "transcript": turns});
    let text = rows(&body).conversation.transcripcion;
    text.replace("[0.0s] AGENT", "A").replace('\n', " ⏎ ").replace("[0.0s] USER", "U")
}

/// Asserts what becomes of calls; `*` stands for the mask, and a call without `U:` or `A:` is one turn of the caller.
#[track_caller]
fn assert_said(identifier: &str, cases: &[(&str, &str)]) {
    let mut wrong = Vec::new();
    for (call, expected) in cases {
        let said = transcript(identifier, call);
        let said = if call.contains(": ") && (call.starts_with("U:") || call.starts_with("A:")) {
            said
        } else {
            said.replacen("U: ", "", 1)
        };
        if said != expected.replace('*', MASK) {
            wrong.push(format!("{call}\n    is       {}\n    and not  {expected}", said.replace(MASK, "*")));
        }
    }
    assert!(wrong.is_empty(), "{}\n{} of {}", wrong.join("\n"), wrong.len(), cases.len());
}

#[test]
fn a_number_is_found_however_it_is_said() {
    assert_said(
        "+525512345678",
        &[
            ("55 guion 1234 guion 5678", "*"),
            ("cinco cinco, uno dos tres cuatro, cincuenta y seis setenta y ocho", "*"),
            ("cincuenta y cinco doce, este, treinta y cuatro cincuenta y seis setenta y ocho", "*"),
            ("my number is five five one two three four five six seven eight", "my number is *"),
            ("55I2345678", "*"),
            ("५५१२३४५६७८", "*"),
            ("Es el cincuenticinco", "Es el cincuenticinco"),
            ("cincuentaicinco doce treintaycuatro cincuentaiséis setentaiocho", "*"),
            ("Cinco, cinco; uno, dos; tres, cuatro; cinco, seis; siete, ocho.", "*."),
            ("CINCUENTA Y CINCO DOCE TREINTA Y CUATRO CINCUENTA Y SEIS SETENTA Y OCHO", "*"),
            (
                "quinientos cincuenta y uno, doscientos treinta y cuatro, cinco mil seiscientos setenta y ocho",
                "*",
            ),
            ("cincuenta y cinco, mil doscientos treinta y cuatro, cinco mil seiscientos setenta y ocho", "*"),
            ("doble cinco, uno dos tres cuatro, cinco seis siete ocho", "*"),
            ("dos cincos uno dos tres cuatro cinco seis siete ocho", "*"),
            ("cincuenta cinco doce treinta cuatro cincuenta seis setenta ocho", "*"),
            ("55 doce 34 cincuenta y seis 78", "*"),
            ("más cincuenta y dos, cincuenta y cinco 1234 5678", "más *"),
            ("𝟓𝟓𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖 y ⑤⑤①②③④⑤⑥⑦⑧ y ５５１２３４５６７８", "* y * y *"),
            (
                "lada 55, y luego es el 1234, espéreme tantito, 5678, gracias",
                "lada *, y luego es el *, espéreme tantito, *, gracias",
            ),
            ("es 55 1234 56... no, perdón, 55 1234 5678", "es *... no, perdón, *"),
            ("cinco cinco uno dos tres cuatro cinco seis siete", "*"),
            ("el 234 5678 de aquí", "el * de aquí"),
            ("termina en 5678", "termina en *"),
            ("los últimos cuatro son cinco seis siete ocho", "los últimos cuatro son *"),
            ("55, nueve mil ochocientos treinta y cuatro, perdón, 1234, 5678", "*"),
            ("50 y 5 12 34 56 78", "*"),
            ("55, 12, 30 y 4, 56, 78", "*"),
            ("cinco doble, uno dos tres cuatro cinco seis siete ocho", "*"),
            ("cincuenticinco doce trenticuatro cincuentiseis setentiocho", "*"),
            ("folio 12345 55 1234 5678", "folio 12345 *"),
            ("a las 10:30 1234 5678", "a las 10:30 *"),
            ("01 1234 5678", "01 *"),
            ("1. 1234 5678", "1. *"),
            ("5️⃣5️⃣1️⃣2️⃣3️⃣4️⃣5️⃣6️⃣7️⃣8️⃣", "*"),
            (
                "la tarjeta 4152 3137 2452 0540. Y mi número es el 55, 55, 12, 12, 34, 34, 56, 56, 78, 78",
                "la tarjeta 4152 3137 2452 0540. Y mi número es el 55, *, 78",
            ),
            ("0155 1234 5678, 044 55 12 34 56 78 o 5215512345678", "*, * o *"),
        ],
    );
}

#[test]
fn a_number_is_found_over_turns() {
    assert_said(
        "+525512345678",
        &[
            ("U: 55 1234 ⏎ A: Sí, le escucho. ⏎ U: 5678", "U: * ⏎ A: Sí, le escucho. ⏎ U: *"),
            (
                "U: cinco cinco ⏎ A: Ajá ⏎ U: doce ⏎ A: ¿Y luego? ⏎ U: tres cuatro cinco seis ⏎ U: siete ocho",
                "U: * ⏎ A: Ajá ⏎ U: * ⏎ A: ¿Y luego? ⏎ U: * ⏎ U: *",
            ),
            ("U: 55 12 34 56 78 ⏎ A: ¿Termina en 56 78?", "U: * ⏎ A: ¿Termina en *?"),
            ("U: 55 12 34 56 78 ⏎ A: Entonces 12 34, ¿verdad?", "U: * ⏎ A: Entonces *, ¿verdad?"),
            (
                "A: ¿Me da su lada? ⏎ U: 55 ⏎ A: ¿Y el número? ⏎ U: 12345678",
                "A: ¿Me da su lada? ⏎ U: * ⏎ A: ¿Y el número? ⏎ U: *",
            ),
            ("A: ¿Cómo termina su número? ⏎ U: 5678", "A: ¿Cómo termina su número? ⏎ U: *"),
            (
                "U: Ya van 88 llamadas y 55 mensajes ⏎ A: ¿Su número? ⏎ U: 1234 5678",
                "U: Ya van 88 llamadas y 55 mensajes ⏎ A: ¿Su número? ⏎ U: *",
            ),
            (
                "U: Fue a las cinco y cuarto ⏎ U: 55, es que no me lo sé, 1234, este, 5678",
                "U: Fue a las cinco y cuarto ⏎ U: *, es que no me lo sé, *",
            ),
            (
                "U: La CLABE 012180038161203782 ⏎ U: 55, es que no me lo sé, 12 y luego 34, es que no me lo sé, 56, espéreme, 78",
                "U: La CLABE 012180038161203782 ⏎ U: *, es que no me lo sé, *, es que no me lo sé, *, espéreme, *",
            ),
            (
                "U: Me marcaron del 33 3525 0955 ⏎ A: ¿Su número? ⏎ U: 1234 5678",
                "U: Me marcaron del 33 3525 0955 ⏎ A: ¿Su número? ⏎ U: *",
            ),
            ("A: Su número es 55 1234 ⏎ U: Sí, y 5678", "A: Su número es * ⏎ U: Sí, y *"),
        ],
    );
}

#[test]
fn what_is_not_the_line_stays() {
    let kept =
        |texts: &[&str]| texts.iter().map(|text| (text.to_string(), text.to_string())).collect::<Vec<_>>();
    let texts = kept(&[
        "cinco millones quinientos doce mil pesos",
        "el 12 de marzo a las 5:51",
        "tarjeta 4152 3137 5512 3456",
        "CLABE 012180015512345678",
        "mi CLABE es 012 180 01551234567 8",
        "la cuenta 0121 8001 5512 3456 78",
        "me marcaron del 55 9876 5432",
        "el 55 1234 9999 y el 55 9999 5678",
        "551 2345, este, 999",
        "cinco cinco uno dos tres cuatro nueve nueve nueve nueve",
        "pidieron 55 mil pesos, luego 12 mil y después 34 mil",
        "tengo 55 años, mi hija 12, mi papá 78",
        "5,512 pesos y 34,567 dólares",
        "vivo en la calle 55 número 1234, interior 5",
        "folio 5512",
        "el 5 de mayo de 2012 a las 3:45",
        "1234",
        "33 1234 5678",
        "tarjeta 4152 3137 1234 5678",
        "del 1 al 5, son 6 personas y 7 u 8 coches",
    ]);
    let cases: Vec<(&str, &str)> = texts.iter().map(|(one, other)| (one.as_str(), other.as_str())).collect();
    assert_said("+525512345678", &cases);
    assert_said(
        "100000",
        &[
            ("1,000,000 de pesos", "1,000,000 de pesos"),
            ("100000 pesos", "100000 pesos"),
            ("mi extensión es 100000", "mi extensión es *"),
        ],
    );
    assert_said(
        "1245",
        &[
            ("a las 12:45", "a las 12:45"),
            ("mi número, extensión 1245", "mi número, extensión *"),
            ("son 1245", "son 1245"),
        ],
    );
}

#[test]
fn the_line_that_was_called_is_not_masked() {
    let body = json!({"conversation_id": "conv_1", "user_id": "+525500000890",
        "metadata": {"phone_call": {"external_number": "+525512345678", "agent_number": "+525500000890"}},
        "transcript": [{"role": "user", "message": "marqué al 55 0000 0890 del 55 1234 5678"}]});
    let said = rows(&body).conversation.transcripcion;
    assert_eq!(said, format!("[0.0s] USER: marqué al 55 0000 0890 del {MASK}"));
}

/// Calls thought up by hand: the identifier, what is said, and whether something of it is masked.
const SAID: &str = include_str!("../../../tests/fixtures/said.tsv");

#[test]
fn what_was_thought_up_by_hand_is_masked_or_kept() {
    let mut wrong = Vec::new();
    for row in SAID.lines() {
        let mut fields = row.split('\t');
        let (Some(identifier), Some(call), Some(outcome)) = (fields.next(), fields.next(), fields.next())
        else {
            panic!("three columns: {row}");
        };
        if transcript(identifier, call).contains(MASK) != (outcome == "mask") {
            wrong.push(row);
        }
    }
    assert!(wrong.is_empty() && SAID.lines().count() > 400, "{wrong:#?}");
}
