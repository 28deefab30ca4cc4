//! A Markdown file, taken apart: blocks of code, code in the text, headings.

use std::fmt::Write;
use std::path::{Component, Path, PathBuf};

use super::pattern;

pub(super) const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Commands stand in these.
const SHELL: [&str; 2] = ["sh", "cron"];

/// A file, by its path below the root.
#[derive(Clone, Debug)]
pub(super) struct Document {
    pub(super) path: String,
    pub(super) text: String,
}

/// Code between fences.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Block {
    pub(super) language: String,
    pub(super) text: String,
    pub(super) line: usize,
}

/// A file of the checkout, as text.
pub(super) fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(ROOT).join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// One document.
pub(super) fn one(path: &str) -> Document {
    Document { path: path.to_owned(), text: read(path) }
}

/// All that people read to install and run it.
pub(super) fn all() -> Vec<Document> {
    let mut paths: Vec<String> = ["README.md", "README.es.md", "CONTRIBUTING.md"].map(str::to_owned).to_vec();
    for folder in ["docs", "deploy", "deploy/postgres"] {
        let entries = std::fs::read_dir(Path::new(ROOT).join(folder)).expect("a folder of the checkout");
        let names = entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"));
        paths.extend(
            names
                .filter(|name| Path::new(name).extension().is_some_and(|kind| kind == "md"))
                .map(|name| format!("{folder}/{name}")),
        );
    }
    paths.sort();
    assert!(paths.len() >= 8, "{paths:?}");
    paths.iter().map(|path| one(path)).collect()
}

/// All Rust files below a folder, one after the other.
pub(super) fn sources(folder: &str) -> String {
    let mut text = String::new();
    let mut folders = vec![Path::new(ROOT).join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder of the checkout") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                text += &std::fs::read_to_string(path).expect("a source file");
            }
        }
    }
    text
}

/// A relative link's target, below the root.
pub(super) fn join(folder: &Path, path: &str) -> String {
    let mut joined = PathBuf::new();
    for part in folder.join(path).components() {
        match part {
            Component::ParentDir => assert!(joined.pop(), "{path} leads out of the checkout"),
            Component::CurDir => {}
            part => joined.push(part),
        }
    }
    joined.to_str().expect("UTF-8").to_owned()
}

impl Document {
    /// Lines, each with whether it is within a fence; the fences themselves are.
    fn lines(&self) -> impl Iterator<Item = (usize, &str, bool)> {
        let mut is_code = false;
        self.text.lines().enumerate().map(move |(number, line)| {
            let is_fence = line.trim_start().starts_with("```");
            let was_code = is_code;
            is_code ^= is_fence;
            (number + 1, line, was_code || is_fence)
        })
    }

    /// Its blocks, without the indentation of the list they stand in.
    pub(super) fn blocks(&self) -> Vec<Block> {
        let mut blocks: Vec<Block> = Vec::new();
        let mut indentation = None;
        for (line, text, is_code) in self.lines() {
            let trimmed = text.trim_start();
            match (indentation, trimmed.strip_prefix("```")) {
                (None, Some(language)) if is_code => {
                    indentation = Some(text.len() - trimmed.len());
                    blocks.push(Block { language: language.to_owned(), text: String::new(), line: line + 1 });
                }
                (Some(_), Some(_)) => indentation = None,
                (Some(width), None) => {
                    let block = blocks.last_mut().expect("its fence came first");
                    writeln!(block.text, "{}", text.get(width..).unwrap_or("")).expect("memory");
                }
                _ => {}
            }
        }
        assert_eq!(indentation, None, "{}: a fence is not closed", self.path);
        blocks
    }

    /// What is no block of code.
    pub(super) fn prose(&self) -> String {
        self.lines()
            .filter(|(_, _, is_code)| !is_code)
            .map(|(_, line, _)| line)
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// Code in the text, with its place.
    pub(super) fn spans(&self) -> Vec<(String, String)> {
        let prose = self.prose();
        let spans = pattern("`([^`]+)`");
        let one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        spans
            .captures_iter(&prose)
            .map(|found| (format!("{}: `{}`", self.path, &found[1]), one_line(&found[1])))
            .collect()
    }

    /// All code but pictures, with its place.
    pub(super) fn code(&self) -> Vec<(String, String)> {
        let blocks = self.blocks().into_iter().filter(|block| block.language != "text");
        let blocks = blocks.map(|block| (format!("{}:{}", self.path, block.line), block.text));
        blocks.chain(self.spans()).collect()
    }

    /// All commands, in blocks and in the text, as words.
    pub(super) fn commands(&self) -> Vec<(String, Vec<String>)> {
        let blocks = self.blocks().into_iter().filter(|block| SHELL.contains(&block.language.as_str()));
        let scripts = blocks.map(|block| {
            let fields = if block.language == "cron" { 5 } else { 0 };
            (format!("{}:{}", self.path, block.line), block.text, fields)
        });
        let spans = self.spans().into_iter().map(|(place, code)| (place, code, 0));
        scripts
            .chain(spans)
            .flat_map(|(place, script, fields)| {
                let commands = commands(&script, fields);
                commands.into_iter().map(move |words| (place.clone(), words))
            })
            .collect()
    }

    /// Headings, with their level.
    pub(super) fn headings(&self) -> Vec<(usize, String)> {
        let headings = self.lines().filter(|(_, line, is_code)| !is_code && line.starts_with('#'));
        headings
            .map(|(_, line, _)| {
                let text = line.trim_start_matches('#');
                (line.len() - text.len(), text.trim().to_owned())
            })
            .collect()
    }

    /// What a link can say after `#`, as GitHub makes it of a heading.
    pub(super) fn anchors(&self) -> Vec<String> {
        let anchor = |(_, text): (usize, String)| -> String {
            let kept = |letter: &char| letter.is_alphanumeric() || " -_".contains(*letter);
            text.to_lowercase()
                .chars()
                .filter(kept)
                .map(|letter| if letter == ' ' { '-' } else { letter })
                .collect()
        };
        self.headings().into_iter().map(anchor).collect()
    }

    /// What stands below a heading that begins so, up to the next one.
    pub(super) fn section(&self, heading: &str) -> String {
        let below = self.text.split("\n## ").find(|section| section.starts_with(heading));
        below.unwrap_or_else(|| panic!("{}: no heading {heading}", self.path)).to_owned()
    }
}

/// The simple commands of a script, as words; lines begin with so many fields that are none of it.
fn commands(script: &str, fields: usize) -> Vec<Vec<String>> {
    let mut commands = Vec::new();
    let mut open = String::new();
    for line in script.lines() {
        let line = line.splitn(fields + 1, ' ').nth(fields).unwrap_or("");
        open += line;
        if let Some(begun) = open.strip_suffix('\\') {
            open = begun.to_owned();
            continue;
        }
        open.push('\n');
        // Within quotes that the next line closes.
        let Some(words) = shlex::split(&open) else { continue };
        open.clear();
        let mut command: Vec<String> = Vec::new();
        for word in words {
            let ends = ["|", "||", "&&", ";"].contains(&word.as_str());
            match word.strip_suffix(';') {
                _ if ends => commands.push(std::mem::take(&mut command)),
                Some(last) => {
                    command.push(last.to_owned());
                    commands.push(std::mem::take(&mut command));
                }
                None => command.push(word),
            }
        }
        commands.push(command);
    }
    commands.into_iter().map(bare).filter(|words| !words.is_empty()).collect()
}

/// Without what stands before a command, and without redirections.
fn bare(words: Vec<String>) -> Vec<String> {
    let assignment = pattern(r"^[A-Z_]+=");
    let mut words = words.into_iter().peekable();
    while words.next_if(|word| word == "sudo" || assignment.is_match(word)).is_some() {}
    let mut bare = Vec::new();
    while let Some(word) = words.next() {
        match word.as_str() {
            ">" | "<" | ">>" | "2>" => drop(words.next()),
            word if word.starts_with('>') || word.starts_with('<') => {}
            _ => bare.push(word),
        }
    }
    bare
}
