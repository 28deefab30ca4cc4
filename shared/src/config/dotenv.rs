//! The file `.env`, taken as it is written: nothing in a value is replaced. The library for it puts variables where a `$`
//! stands, which swallows a part of a password, and says of a bad line neither its number nor what is wrong with it.

/// The variables of a file; or, for each line that is none, its number and the reason, never what stands in it.
pub(super) fn parse(bytes: &[u8]) -> Result<Vec<(String, String)>, Vec<String>> {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let (mut variables, mut problems) = (Vec::new(), Vec::new());
    for (number, line) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        match variable(line) {
            Ok(variable) => variables.extend(variable),
            Err(reason) => problems.push(format!("line {number}: {reason}")),
        }
    }
    if problems.is_empty() { Ok(variables) } else { Err(problems) }
}

/// The variable of a line; `None` when it is empty or a comment.
fn variable(line: &[u8]) -> Result<Option<(String, String)>, &'static str> {
    let line = std::str::from_utf8(line).map_err(|_| "is no UTF-8: save the file as UTF-8")?.trim();
    if line.contains('\0') {
        return Err("holds a zero byte: save the file as UTF-8, not as UTF-16");
    }
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let (name, value) = line.split_once('=').ok_or("has no =: expected NAME=value")?;
    let name = name.trim_end();
    let name = name.strip_prefix("export ").unwrap_or(name).trim();
    let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !name.starts_with(|first: char| first.is_ascii_digit());
    if name.is_empty() || !is_name {
        return Err("has no name of letters, digits and _ before its =: expected NAME=value");
    }
    Ok(Some((name.to_owned(), value_of(value.trim_start(), value)?)))
}

/// A value between quotes, or up to the line's end or a comment, which has a blank before its `#`.
fn value_of(text: &str, with_blanks: &str) -> Result<String, &'static str> {
    if let Some(quoted) = text.strip_prefix('\'') {
        let (value, rest) = quoted.split_once('\'').ok_or(UNCLOSED)?;
        return ends(rest).map(|()| value.to_owned());
    }
    if let Some(quoted) = text.strip_prefix('"') {
        return double_quoted(quoted);
    }
    if text.contains("\\$") {
        return Err(ESCAPED);
    }
    let comment = with_blanks.match_indices('#').map(|(at, _)| &with_blanks[..at]);
    let value = comment.into_iter().find(|before| before.ends_with(char::is_whitespace)).unwrap_or(text);
    Ok(value.trim().to_owned())
}

const UNCLOSED: &str = "has a quote that is not closed: expected NAME=value, on one line";
const AFTER: &str = "goes on after its closing quote: expected NAME=value";
const ESCAPED: &str = "has a backslash before a $: write the value as it is, between single quotes";

/// Between these, `\"`, `\\`, `\$` and `\n` stand for a quote, a backslash, a dollar and a line break.
fn double_quoted(text: &str) -> Result<String, &'static str> {
    let mut value = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => return ends(characters.as_str()).map(|()| value),
            '\\' => match characters.next().ok_or(UNCLOSED)? {
                'n' => value.push('\n'),
                escaped @ ('"' | '\\' | '$') => value.push(escaped),
                other => value.extend(['\\', other]),
            },
            other => value.push(other),
        }
    }
    Err(UNCLOSED)
}

/// What may follow a closing quote: nothing, or a comment.
fn ends(rest: &str) -> Result<(), &'static str> {
    let comment = rest.trim_start();
    (comment.is_empty() || (comment.starts_with('#') && comment.len() < rest.len()))
        .then_some(())
        .ok_or(AFTER)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(line: &str) -> String {
        let variables =
            parse(format!("A={line}\n").as_bytes()).unwrap_or_else(|why| panic!("{line}: {why:?}"));
        variables[0].1.clone()
    }

    #[test]
    fn a_value_is_what_is_written() {
        for written in [
            "",
            "k$x",
            "k${x}y",
            "$x",
            "a\\b",
            "a b",
            "a#b",
            "#ab",
            "pa\"ss'word",
            "a=b",
            "ñ\u{1f511}",
            "a\\",
            "%24",
            "`id`",
            "$(id)",
            "!a",
            "a;b",
            "*",
        ] {
            assert_eq!(value(written), written);
            assert_eq!(value(&format!("{written}\t\r")), written);
            if !written.contains('\'') {
                assert_eq!(value(&format!("'{written}'  # why")), written);
            }
        }
        assert_eq!(value("a b # why"), "a b");
        assert_eq!(value(" # why"), "");
        assert_eq!(value("' a '"), " a ");
        assert_eq!(value(r#""a \"b\" \\ \$c $d \e\n""#), "a \"b\" \\ $c $d \\e\n");
    }

    #[test]
    fn names_may_stand_among_blanks_comments_and_marks() {
        let file = "\u{feff}# one\r\n\r\nA=1\r\n  export B = 2\n\t\n#C=3\nD_4=4";
        let expected =
            [("A", "1"), ("B", "2"), ("D_4", "4")].map(|(name, value)| (name.into(), value.into()));
        assert_eq!(parse(file.as_bytes()), Ok(expected.to_vec()));
        assert_eq!(parse(b""), Ok(Vec::new()));
    }

    #[test]
    fn every_line_that_is_none_is_named_with_the_reason_and_not_repeated() {
        let mut file = b"A=1\nsecreta\n=secreta\nA secreta=1\n1A=secreta\n".to_vec();
        file.extend(b"A='secreta\nA=\"secreta\nA='b' secreta\nA=secreta\\$\nA=\xff\n\xff\xfeA\0=\x001\0\n");
        let problems = parse(&file).expect_err("none is a variable");
        let lines: Vec<_> = problems.iter().filter_map(|problem| problem.split(':').next()).collect();
        assert_eq!(lines, (2..=11).map(|line| format!("line {line}")).collect::<Vec<_>>());
        assert!(!problems.concat().contains("secreta"), "{problems:?}");
    }
}
