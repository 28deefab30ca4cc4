//! README.md and README.es.md: the same content in two languages.

use std::collections::BTreeSet;

use super::document::{Block, Document, one};
use super::pattern;

/// What is said otherwise in each language, and is no code that somebody would type.
const IN_ONE_LANGUAGE: [&str; 1] = ["[línea de quien llama]"];

fn both() -> [Document; 2] {
    [one("README.md"), one("README.es.md")]
}

/// A block without what is there for people: comments, and how they are set off.
fn bare(block: Block) -> (String, String) {
    let comment = pattern(r"(?m) *(?:^|\s)#.*$");
    let text =
        if block.language == "sql" { block.text } else { comment.replace_all(&block.text, "").into_owned() };
    (block.language, text)
}

#[test]
fn they_have_the_same_blocks_of_code() {
    let [english, spanish] = both().map(|readme| -> Vec<_> {
        let blocks = readme.blocks().into_iter().map(bare);
        // Pictures are translated.
        blocks
            .map(
                |(language, text)| {
                    if language == "text" { (language, String::new()) } else { (language, text) }
                },
            )
            .collect()
    });
    assert_eq!(english.len(), spanish.len());
    for (english, spanish) in english.iter().zip(&spanish) {
        assert_eq!(english, spanish);
    }
}

#[test]
fn they_have_the_same_headings_and_say_the_same_words_of_code() {
    let [english, spanish] =
        both().map(|readme| readme.headings().into_iter().map(|(level, _)| level).collect::<Vec<_>>());
    assert_eq!(english, spanish, "levels of headings");
    let [english, spanish] = both().map(|readme| {
        let spans = readme
            .spans()
            .into_iter()
            .map(|(_, code)| pattern("\"[^\"]*\"").replace_all(&code, "\"\"").into_owned());
        spans.filter(|code| !IN_ONE_LANGUAGE.contains(&code.as_str())).collect::<BTreeSet<_>>()
    });
    let only = |these: &BTreeSet<String>, others: &BTreeSet<String>| {
        these.difference(others).cloned().collect::<Vec<_>>()
    };
    assert_eq!((only(&english, &spanish), only(&spanish, &english)), (vec![], vec![]), "only in one of them");
}

#[test]
fn they_link_to_the_same_files() {
    let link = pattern(r"\]\(([^)#\s]+)");
    let [english, spanish] = both().map(|readme| {
        let targets = link
            .captures_iter(&readme.text)
            .map(|found| found[1].replace("README.es.md", "README.md"))
            .collect::<Vec<_>>();
        targets.into_iter().collect::<BTreeSet<_>>()
    });
    assert_eq!(english, spanish);
}

#[test]
fn they_have_the_same_rows_in_their_tables() {
    let row = pattern(r"(?m)^\s*\|.*\|$");
    let [english, spanish] = both().map(|readme| row.find_iter(&readme.text).count());
    assert_eq!(english, spanish);
}
