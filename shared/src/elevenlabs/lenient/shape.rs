//! The documented form of what is read, as a table: beside [`Wire`](super::super::wire::Wire), which reads that form and no
//! other. A test replaces each value of a body by every JSON type, and finds what is missing here.

use super::super::variable::About;

/// What a field should be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    /// The id: as it is.
    Id,
    /// A word of the source's.
    Word,
    /// What somebody said or wrote.
    Prose,
    /// Seconds.
    Seconds,
    /// What may identify a line.
    Identifier,
    /// An object, and whether it tells of a caller.
    Object(&'static [Field], Caller),
    /// Values by name; they may be anything.
    Variables,
    /// Turns, each an object with a text.
    Turns(&'static [Field]),
    /// Items, by id.
    Items,
    /// Items, in a list.
    ItemList,
    /// Objects, in a list.
    List(&'static [Field]),
}

/// What an object that is none may hold of a caller.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Caller {
    /// Nothing.
    No,
    /// A telephone number.
    Number,
    /// Any text.
    Any,
}

pub(super) type Field = (&'static str, Shape);

/// A record of one conversation.
pub(super) const CONVERSATION: &[Field] = &[
    ("conversation_id", Shape::Id),
    ("agent_id", Shape::Word),
    ("status", Shape::Word),
    ("user_id", Shape::Identifier),
    ("transcript", Shape::Turns(TURN)),
    ("metadata", Shape::Object(METADATA, Caller::Number)),
    ("analysis", Shape::Object(ANALYSIS, Caller::No)),
    ("conversation_initiation_client_data", Shape::Object(CLIENT_DATA, Caller::Number)),
];

const TURN: &[Field] = &[
    ("role", Shape::Word),
    ("message", Shape::Prose),
    ("multivoice_message", Shape::Object(&[("parts", Shape::Turns(&[("text", Shape::Prose)]))], Caller::No)),
    ("time_in_call_secs", Shape::Seconds),
    ("user_identifier", Shape::Identifier),
];

const METADATA: &[Field] = &[
    ("start_time_unix_secs", Shape::Seconds),
    ("call_duration_secs", Shape::Seconds),
    ("main_language", Shape::Word),
    ("conversation_initiation_source", Shape::Word),
    ("initiator_id", Shape::Identifier),
    ("phone_call", Shape::Object(PHONE_CALL, Caller::Any)),
    ("whatsapp", Shape::Object(WHATSAPP, Caller::Any)),
    ("sms", Shape::Object(&[("sms_user_phone_number", Shape::Identifier)], Caller::Any)),
    ("batch_call", Shape::Object(&[("batch_call_recipient_id", Shape::Identifier)], Caller::Any)),
];

const PHONE_CALL: &[Field] = &[
    ("external_number", Shape::Identifier),
    ("agent_number", Shape::Identifier),
    ("sip_header_dynamic_variables", Shape::Variables),
];

const WHATSAPP: &[Field] = &[
    ("whatsapp_user_id", Shape::Identifier),
    ("recipient", Shape::Object(&[("phone", Shape::Identifier), ("bsuid", Shape::Identifier)], Caller::Any)),
];

const CLIENT_DATA: &[Field] = &[("user_id", Shape::Identifier), ("dynamic_variables", Shape::Variables)];

const ANALYSIS: &[Field] = &[
    ("call_successful", Shape::Word),
    ("transcript_summary", Shape::Prose),
    ("data_collection_results", Shape::Items),
    ("data_collection_results_list", Shape::ItemList),
    ("evaluation_criteria_results", Shape::Items),
    ("evaluation_criteria_results_list", Shape::ItemList),
    ("scoped", Shape::List(SCOPED)),
];

const SCOPED: &[Field] =
    &[("data_collection_results", Shape::Items), ("evaluation_criteria_results", Shape::Items)];

/// Keys of an object that is a turn, or a part of one, by itself.
pub(super) const TURN_KEYS: [&str; 5] =
    ["message", "multivoice_message", "role", "text", "time_in_call_secs"];

/// Keys under which an item of a list says its id.
pub(super) const ID_KEYS: [&str; 4] = ["data_collection_id", "criteria_id", "id", "name"];

/// Whether a field of this name is read, wherever.
pub(super) fn is_read(key: &str) -> bool {
    fn any(fields: &[Field], key: &str) -> bool {
        fields.iter().any(|(name, shape)| {
            *name == key
                || match shape {
                    Shape::Object(fields, _) | Shape::Turns(fields) | Shape::List(fields) => any(fields, key),
                    _ => false,
                }
        })
    }
    any(CONVERSATION, key)
}

/// Whether what stands under a key identifies a caller, whatever it is.
pub(super) fn identifies(key: &str) -> bool {
    let is_named = [
        "external_number",
        "initiator_id",
        "bsuid",
        "recipient",
        "batch_call_recipient_id",
        "user_identifier",
    ]
    .contains(&key);
    is_named || matches!(About::of(key), About::Caller(_))
}

/// Whether what stands under a key has nothing to say of a caller's line but what was said in the call.
pub(super) fn is_content(key: &str) -> bool {
    ["message", "multivoice_message", "analysis", "agent_number"].contains(&key)
        || matches!(About::of(key), About::OwnLine)
}
