//! The mapping: whether what fills a report, and what `datos` keeps, is what the agents collect.

use std::collections::BTreeSet;

use shared::config::{Environment, ReportConfig};
use shared::elevenlabs::{Agent, ApiError};
use shared::exit::Exit;

use super::api::Api;
use super::configuration::Settings;
use super::report::Report;

const CHECK: &str = "mapping";

/// Most agents asked for; a detail has up to half a megabyte.
const MOST_AGENTS: usize = 25;

/// Parts of an item's id that promise what identifies a person.
const IDENTIFYING: [&str; 16] = [
    "address",
    "apellido",
    "celular",
    "correo",
    "curp",
    "direccion",
    "domicilio",
    "email",
    "mail",
    "name",
    "nombre",
    "phone",
    "rfc",
    "surname",
    "telefono",
    "whatsapp",
];

pub(super) async fn check(
    api: Option<&Api>,
    settings: &Settings,
    environment: &Environment,
    report: &mut Report,
) {
    let (Some(api), Some(config)) = (api, &settings.report) else {
        return report.skipped(CHECK, "not looked at: it takes the API, and settings that can be read");
    };
    let agent_id = settings.elevenlabs.as_ref().and_then(|elevenlabs| elevenlabs.agent_id.as_ref());
    let agents = match agent_id {
        Some(agent_id) => api.client.agent(agent_id).await.map(|agent| vec![agent]),
        None => all(api).await,
    };
    match agents {
        Ok(agents) => of_agents(&agents, config, environment, report),
        Err(ApiError::NotFound { .. }) => report.failed(
            CHECK,
            Exit::Usage,
            "ELEVENLABS_AGENT_ID: there is no such agent",
            "set it to the id of an agent of this account, or leave it out",
        ),
        Err(error) => {
            let exit = Exit::of(&error);
            report.failed(
                CHECK,
                exit,
                format!("the agents: {error}"),
                "the key needs convai_read for agents too",
            );
        }
    }
}

async fn all(api: &Api) -> Result<Vec<Agent>, ApiError> {
    let (mut agents, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let page = api.client.agents(cursor.as_deref()).await?;
        for agent in page.agents {
            match api.client.agent(&agent.agent_id).await {
                Ok(agent) => agents.push(agent),
                Err(ApiError::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
            if agents.len() == MOST_AGENTS {
                return Ok(agents);
            }
        }
        cursor = page.next_cursor;
        if cursor.is_none() {
            return Ok(agents);
        }
    }
}

fn of_agents(agents: &[Agent], config: &ReportConfig, environment: &Environment, report: &mut Report) {
    let said: Vec<&Vec<String>> = agents.iter().filter_map(|agent| agent.data_items.as_ref()).collect();
    if said.is_empty() {
        let finding = format!("unknown: none of {} agents says what it collects", agents.len());
        return report.skipped(CHECK, finding);
    }
    let collected: BTreeSet<&str> = said.iter().flat_map(|items| items.iter()).map(String::as_str).collect();
    let listed = collected.iter().copied().collect::<Vec<_>>().join(", ");
    let mut is_good = true;
    for (variable, ids) in [
        ("REPORT_ID_EXTORSION", &config.items.id_extorsion),
        ("REPORT_MODO", &config.items.modo),
        ("REPORT_TIEMPO", &config.items.tiempo),
        ("REPORT_LUGAR", &config.items.lugar),
    ] {
        let unknown: Vec<&str> =
            ids.iter().map(String::as_str).filter(|id| !collected.contains(id)).collect();
        // A default names an item's older and newer id, of which an agent has one.
        let is_typo = environment.value(variable).is_some() || unknown.len() == ids.len();
        if is_typo && !unknown.is_empty() {
            is_good = false;
            let finding = format!("{variable}: no agent collects {}", unknown.join(", "));
            report.warning(CHECK, finding, format!("the agents collect {listed}"));
        }
    }
    if is_good {
        report.good(CHECK, format!("the four columns of a report are collected ({} agents)", said.len()));
    }
    let kept = |id: &&str| config.data_items.keeps(id);
    let identifying: Vec<&str> = collected.iter().copied().filter(kept).filter(|id| identifies(id)).collect();
    if !identifying.is_empty() {
        let others: Vec<&str> = collected.iter().copied().filter(kept).filter(|id| !identifies(id)).collect();
        report.warning(
            CHECK,
            format!("DATA_ITEMS keeps in datos what may say who called: {}", identifying.join(", ")),
            format!("DATA_ITEMS={}", others.join(",")),
        );
    }
}

fn identifies(id: &str) -> bool {
    let id = id.to_lowercase().replace('é', "e").replace('ó', "o");
    IDENTIFYING.iter().any(|part| id.contains(part))
}
