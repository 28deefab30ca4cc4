//! `REPORT_*`, `DATA_ITEMS` and `TIMEZONE`: how a conversation becomes rows.

use chrono_tz::Tz;

use super::{Environment, FromEnvironment, Problems, Section, names};

/// Which data-collection items fill a report, in order of preference: the first non-null value wins.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ReportItems {
    /// Ids for `reportes.id_extorsion`; `REPORT_ID_EXTORSION`.
    pub id_extorsion: Vec<String>,
    /// Ids for `reportes.modo`; `REPORT_MODO`.
    pub modo: Vec<String>,
    /// Ids for `reportes.tiempo`; `REPORT_TIEMPO`.
    pub tiempo: Vec<String>,
    /// Ids for `reportes.lugar`; `REPORT_LUGAR`.
    pub lugar: Vec<String>,
}

impl Default for ReportItems {
    /// Each under its own name; the older system read `modo` from `forma`.
    fn default() -> Self {
        let ids = |ids: &[&str]| ids.iter().map(|&id| id.to_owned()).collect();
        Self {
            id_extorsion: ids(&["id_extorsion"]),
            modo: ids(&["forma", "modo"]),
            tiempo: ids(&["tiempo"]),
            lugar: ids(&["lugar"]),
        }
    }
}

/// Which data-collection values are kept in `conversaciones.datos`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum DataItems {
    /// All of them: `DATA_ITEMS=*`.
    All,
    /// The listed ids only.
    Listed(Vec<String>),
}

impl DataItems {
    /// Whether the value of the item with this id is kept.
    #[must_use]
    pub fn keeps(&self, item_id: &str) -> bool {
        match self {
            Self::All => true,
            Self::Listed(ids) => ids.iter().any(|id| id == item_id),
        }
    }
}

/// How a conversation becomes rows.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ReportConfig {
    /// For `fecha`, `hora_inicio`, `hora_fin`; `TIMEZONE`.
    pub timezone: Tz,
    /// Which items fill a report.
    pub items: ReportItems,
    /// Which values `datos` keeps.
    pub data_items: DataItems,
    /// Conversations that began there are nobody's call, and get no report; `REPORT_EXCLUDED_SOURCES`.
    pub excluded_sources: Vec<String>,
}

/// Parts of another conversation, previews and tests, in the source's own words.
const EXCLUDED_SOURCES: [&str; 3] = ["subagent_tool", "template_preview", "agent_testing"];

impl ReportConfig {
    /// Whether conversations that began there get a report.
    #[must_use]
    pub fn reports(&self, source: Option<&str>) -> bool {
        source.is_none_or(|source| !self.excluded_sources.iter().any(|excluded| excluded == source))
    }
}

impl Default for ReportConfig {
    /// What no variable at all means.
    fn default() -> Self {
        Self {
            timezone: Tz::America__Mexico_City,
            items: ReportItems::default(),
            data_items: DataItems::All,
            excluded_sources: EXCLUDED_SOURCES.map(str::to_owned).to_vec(),
        }
    }
}

impl FromEnvironment for ReportConfig {
    fn from_environment(environment: &Environment, problems: &mut Problems) -> Option<Self> {
        let default = Self::default();
        let timezone = match environment.value("TIMEZONE").map(str::parse) {
            None => Some(default.timezone),
            Some(Ok(timezone)) => Some(timezone),
            Some(Err(_)) => {
                problems.push("TIMEZONE", "no such time zone; expected a name such as America/Mexico_City");
                None
            }
        };
        let data_items = match environment.value("DATA_ITEMS") {
            None | Some("*") => DataItems::All,
            Some(ids) => DataItems::Listed(list(ids)),
        };
        names::find_misspelt(environment, &["TIMEZONE", "DATA_ITEMS"], problems);
        let mut section = Section::new(environment, "REPORT_", problems);
        let mut items = |name, default| section.text(name).map_or(default, |ids| list(&ids));
        let items = ReportItems {
            id_extorsion: items("id_extorsion", default.items.id_extorsion),
            modo: items("modo", default.items.modo),
            tiempo: items("tiempo", default.items.tiempo),
            lugar: items("lugar", default.items.lugar),
        };
        let excluded_sources =
            section.text("excluded_sources").map_or(default.excluded_sources, |sources| list(&sources));
        section.finish();
        Some(Self { timezone: timezone?, items, data_items, excluded_sources })
    }
}

/// Ids separated by commas.
fn list(ids: &str) -> Vec<String> {
    ids.split(',').map(str::trim).filter(|id| !id.is_empty()).map(String::from).collect()
}
