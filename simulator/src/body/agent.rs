//! `GetAgentResponseModel` and the rows of the list of agents.

use serde_json::{Map, Value, json};

use crate::agents::Agent;

const PROMPT: &str = "Eres la operadora de la línea 089 de denuncia anónima. Atiendes en español de México a personas \
    que reportan intentos de extorsión. Nunca pides nombre ni domicilio exacto. Preguntas, una cosa a la vez: qué \
    tipo de extorsión fue, por qué medio, cuándo, dónde, cuánto exigieron y cómo querían el pago. Si hay peligro \
    inmediato indicas marcar al 911. Al final confirmas lo anotado y te despides.\n";

/// One row of the list.
pub(crate) fn row(agent: &Agent, last_call: Option<i64>) -> Value {
    json!({
        "agent_id": agent.id,
        "name": agent.name,
        "tags": [],
        "created_at_unix_secs": agent.created,
        "access_info": access(agent),
        "last_call_time_unix_secs": last_call,
        "archived": false,
    })
}

fn access(agent: &Agent) -> Value {
    json!({
        "is_creator": true, "creator_name": "Administración 089", "creator_email": agent.creator_email,
        "role": "admin", "anonymous_access_level_override": null, "access_source": "creator",
    })
}

/// One agent with its configuration, as far as an analyser reads it.
pub(crate) fn detail(agent: &Agent) -> Value {
    json!({
        "agent_id": agent.id,
        "name": agent.name,
        "conversation_config": conversation_config(agent),
        "metadata": { "created_at_unix_secs": agent.created, "updated_at_unix_secs": agent.created + 86_400 },
        "platform_settings": platform_settings(agent),
        "phone_numbers": [],
        "whatsapp_accounts": [],
        "workflow": {
            "edges": {},
            "nodes": { "start_node": { "type": "start", "position": { "x": 0.0, "y": 0.0 }, "edge_order": [] } },
            "prevent_subagent_loops": false,
        },
        "access_info": access(agent),
        "tags": [],
        "version_id": agent.version_id(),
        "branch_id": agent.branch_id(),
        "main_branch_id": agent.branch_id(),
    })
}

fn conversation_config(agent: &Agent) -> Value {
    json!({
        "agent": {
            "first_message": "Línea 089, denuncia anónima. ¿Qué fue lo que pasó?",
            "language": "es",
            "dynamic_variables": { "dynamic_variable_placeholders": { "nombre_reportante": "", "intentos": 0 } },
            "prompt": {
                // real prompts are long: up to half a megabyte with their tools
                "prompt": PROMPT.repeat(if agent.number == 0 { 200 } else { 20 }),
                "llm": "gemini-2.5-flash",
                "temperature": 0.0,
                "max_tokens": -1,
                "tool_ids": ["tool_buscar_reporte"],
                "knowledge_base": [
                    { "type": "text", "name": "Protocolo 089", "id": "doc_protocolo", "usage_mode": "auto" },
                ],
            },
        },
        "tts": { "model_id": "eleven_flash_v2_5", "voice_id": "cjVigY5qzO86Huf0OWal" },
        "conversation": { "text_only": false, "max_duration_seconds": 600 },
        "language_presets": {},
    })
}

fn platform_settings(agent: &Agent) -> Value {
    let criterion = |id: &str, name: &str, goal: &str| {
        json!({ "id": id, "name": name, "type": "prompt", "conversation_goal_prompt": goal,
            "use_knowledge_base": false, "scope": "conversation", "scoring_mode": "binary", "max_score": 100 })
    };
    json!({
        "evaluation": { "criteria": [
            criterion("reporte_completo", "Reporte completo", "Se obtuvo lugar, forma y tiempo de los hechos."),
            criterion("trato_respetuoso", "Trato respetuoso", "La agente fue cordial en todo momento."),
            criterion("sin_pago", "Sin pago", "La persona no realizó ningún pago."),
        ] },
        "data_collection": data_collection(agent),
        "analysis_items": null,
        "privacy": {
            "record_voice": true, "retention_days": 730, "delete_transcript_and_pii": false, "delete_audio": false,
            "apply_to_existing_conversations": false, "zero_retention_mode": false,
        },
        "archived": false,
        "summary_language": "es",
        "ban": null,
        "smb_metadata": null,
    })
}

fn data_collection(agent: &Agent) -> Map<String, Value> {
    let manner = agent.manner_item();
    [
        ("id_extorsion", "string", "Tipo de extorsión, según el catálogo."),
        (manner, "string", "Medio por el que se cometió."),
        ("tiempo", "string", "Cuándo ocurrió o desde cuándo ocurre."),
        ("lugar", "string", "Municipio o colonia, sin domicilio exacto."),
        ("numero_llamadas", "integer", "Cuántas llamadas o mensajes recibió."),
        ("hubo_amenaza", "boolean", "Si hubo amenaza directa."),
        ("monto_exigido", "number", "Cantidad exigida en pesos."),
        ("telefono_contacto", "string", "Número desde el que llama."),
    ]
    .into_iter()
    .map(|(id, kind, description)| {
        let item = json!({ "type": kind, "description": description, "enum": null, "is_system_provided": false,
            "dynamic_variable": "", "constant_value": "" });
        (id.to_owned(), item)
    })
    .collect()
}
