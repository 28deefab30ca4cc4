//! A case as a file: what is right, where it is fed, and what.

use std::path::PathBuf;

use serde_json::Value;

/// A small input that was once got wrong.
pub(crate) struct Case {
    /// The file's name.
    pub(crate) name: String,
    /// What is right, for people.
    pub(crate) right: String,
    pub(crate) feed: Feed,
}

/// Where it is fed.
pub(crate) enum Feed {
    /// The body of one conversation, which the list shows.
    Detail(Vec<u8>),
    /// The one page of the list of conversations.
    List(Vec<u8>),
    /// The one page of the list of agents.
    Agents(Vec<u8>),
    /// Variables of a process.
    Environment(String),
    /// The file `.env`.
    Dotenv(String),
    /// Statements, before the tables are migrated.
    Sql(String),
    /// Step by step.
    Steps(Value),
    /// In words, for a person.
    Told(String),
}

/// The folder of the cases; `None` in a clone that has none beside it.
pub(crate) fn folder() -> Option<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/cases");
    folder.is_dir().then_some(folder)
}

/// All cases, by name.
pub(crate) fn all(folder: &PathBuf) -> Vec<Case> {
    let entries = std::fs::read_dir(folder).expect("a readable folder");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.file_name().is_some_and(|name| name != "README.md"));
    paths.sort();
    paths.iter().map(Case::read).collect()
}

impl Case {
    fn read(path: &PathBuf) -> Self {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let text = String::from_utf8(std::fs::read(path).expect("a readable file")).expect("UTF-8");
        if path.extension().is_some_and(|extension| extension == "json") {
            let steps: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
            let right = steps["right"].as_str().unwrap_or_else(|| panic!("{name}: no `right`")).to_owned();
            return Self { name, right, feed: Feed::Steps(steps) };
        }
        let mut lines = text.splitn(3, '\n');
        let right = lines.next().and_then(|line| line.strip_prefix("# right: "));
        let right = right
            .unwrap_or_else(|| panic!("{name}: its first line says nothing of what is right"))
            .to_owned();
        let second = lines.next().unwrap_or_default();
        let rest = lines.next().unwrap_or_default().to_owned();
        let Some(feed) = second.strip_prefix("# feed: ").filter(|_| path.extension().is_none()) else {
            return Self { name, right, feed: Feed::Told(format!("{second}\n{rest}")) };
        };
        let bytes = || rest.trim_end().as_bytes().to_vec();
        let feed = match feed {
            "list" => Feed::List(bytes()),
            "agents" => Feed::Agents(bytes()),
            "environment" => Feed::Environment(rest),
            ".env" => Feed::Dotenv(rest),
            feed if feed.starts_with("detail (list shows") => Feed::Detail(bytes()),
            feed if feed.starts_with("psql before migrate") => Feed::Sql(rest),
            feed => Feed::Told(format!("{feed}\n{rest}")),
        };
        Self { name, right, feed }
    }

    /// What `right` has between single quotes.
    pub(crate) fn quoted(&self) -> Vec<&str> {
        self.right.split('\'').skip(1).step_by(2).collect()
    }
}
