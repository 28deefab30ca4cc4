//! A record of one conversation as it is documented: what is read of it, and nothing else. Whatever has another form fails
//! here, and is given that form by [`lenient`](super::lenient) first.

use serde::Deserialize;

use super::analysis::{Analysis, AnalysisWire};
use super::caller_line::{CallerLine, Headers, Identifier, Source, Variables};
use super::conversation::{Conversation, Metadata, Turn};
use super::number;
use super::oddities::Oddities;
use super::status::Status;
use crate::ids::{AgentId, ConversationId};

#[derive(Deserialize)]
pub(super) struct Wire<'a> {
    conversation_id: ConversationId,
    #[serde(default)]
    agent_id: Option<String>,
    #[serde(default)]
    status: Option<Status>,
    #[serde(default)]
    user_id: Identifier,
    #[serde(default)]
    transcript: Option<Vec<Option<TurnWire>>>,
    #[serde(default)]
    metadata: Option<MetadataWire>,
    #[serde(borrow, default)]
    analysis: Option<AnalysisWire<'a>>,
    #[serde(default)]
    conversation_initiation_client_data: Option<ClientDataWire>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct TurnWire {
    role: Option<String>,
    message: Option<String>,
    multivoice_message: Option<MultivoiceWire>,
    #[serde(deserialize_with = "number::seconds")]
    time_in_call_secs: Option<f64>,
    user_identifier: Identifier,
}

/// What an agent of several voices said.
#[derive(Default, Deserialize)]
#[serde(default)]
struct MultivoiceWire {
    parts: Option<Vec<Option<PartWire>>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PartWire {
    text: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct MetadataWire {
    #[serde(deserialize_with = "number::whole_seconds")]
    start_time_unix_secs: Option<i64>,
    #[serde(deserialize_with = "number::whole_seconds")]
    call_duration_secs: Option<i64>,
    main_language: Option<String>,
    conversation_initiation_source: Option<String>,
    initiator_id: Identifier,
    phone_call: Option<PhoneCallWire>,
    whatsapp: Option<WhatsAppWire>,
    sms: Option<SmsWire>,
    batch_call: Option<BatchCallWire>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PhoneCallWire {
    external_number: Identifier,
    agent_number: Identifier,
    sip_header_dynamic_variables: Option<Headers>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WhatsAppWire {
    whatsapp_user_id: Identifier,
    recipient: Option<RecipientWire>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RecipientWire {
    phone: Identifier,
    bsuid: Identifier,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct SmsWire {
    sms_user_phone_number: Identifier,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct BatchCallWire {
    batch_call_recipient_id: Identifier,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ClientDataWire {
    user_id: Identifier,
    dynamic_variables: Option<Variables>,
}

impl Wire<'_> {
    /// Whether a turn has nothing that is documented of one: what was said may stand in it under other names.
    pub(super) fn has_unknown_turns(&self) -> bool {
        self.transcript.iter().flatten().flatten().any(TurnWire::is_unknown)
    }

    /// The conversation; what is odd in it is added to what was odd before it had the documented form.
    ///
    /// # Errors
    /// What is read of it has another form than is documented.
    pub(super) fn conversation(
        self,
        mut oddities: Oddities,
        mut line: CallerLine,
    ) -> serde_json::Result<Conversation> {
        let mut metadata = self.metadata.unwrap_or_default();
        let (start, duration) = (metadata.start_time_unix_secs, metadata.call_duration_secs);
        let main_language = metadata.main_language.take();
        let initiation_source = metadata.conversation_initiation_source.take();
        metadata.identify(&mut line);
        let client_data = self.conversation_initiation_client_data.unwrap_or_default();
        line.add_variables(client_data.dynamic_variables.unwrap_or_default());
        line.add(Source::Name, &client_data.user_id);
        line.add(Source::Name, &self.user_id);
        let turns = self.transcript.unwrap_or_default();
        let mut transcript = Vec::with_capacity(turns.len());
        for turn in turns.into_iter().flatten() {
            line.add(Source::Name, &turn.user_identifier);
            transcript.push(turn.said(&mut oddities));
        }
        let mut noted = |field: &str, is_odd: bool| {
            if is_odd {
                oddities.note(field);
            }
        };
        let started = start.filter(|start| *start != 0);
        noted(
            "metadata.start_time_unix_secs",
            started.is_some_and(|start| number::start(start) != Some(start)),
        );
        noted(
            "metadata.call_duration_secs",
            duration.is_some_and(|secs| i32::try_from(secs).map_or(true, i32::is_negative)),
        );
        let analysis = self.analysis.map(|analysis| Analysis::new(analysis, &mut oddities)).transpose()?;
        Ok(Conversation {
            conversation_id: self.conversation_id,
            agent_id: self.agent_id.and_then(|id| AgentId::parse(&id).ok()),
            status: self.status.unwrap_or_default(),
            transcript,
            metadata: Metadata {
                start_time_unix_secs: started.and_then(number::start),
                call_duration_secs: duration,
                main_language,
                initiation_source,
            },
            analysis,
            caller_line: line,
            oddities,
        })
    }
}

impl MetadataWire {
    /// Adds all that tells who called.
    fn identify(self, line: &mut CallerLine) {
        let phone_call = self.phone_call.unwrap_or_default();
        line.add(Source::Line, &phone_call.external_number);
        line.add_own(&phone_call.agent_number);
        line.add_variables(phone_call.sip_header_dynamic_variables.unwrap_or_default().0);
        let whatsapp = self.whatsapp.unwrap_or_default();
        line.add(Source::Line, &whatsapp.whatsapp_user_id);
        let recipient = whatsapp.recipient.unwrap_or_default();
        line.add(Source::Line, &recipient.phone);
        line.add(Source::Line, &recipient.bsuid);
        line.add(Source::Line, &self.sms.unwrap_or_default().sms_user_phone_number);
        line.add(Source::Line, &self.batch_call.unwrap_or_default().batch_call_recipient_id);
        line.add(Source::Name, &self.initiator_id);
    }
}

impl TurnWire {
    fn is_unknown(&self) -> bool {
        let Self { role, message, multivoice_message, time_in_call_secs, user_identifier: _ } = self;
        role.is_none() && message.is_none() && multivoice_message.is_none() && time_in_call_secs.is_none()
    }

    fn said(self, oddities: &mut Oddities) -> Turn {
        let Self { role, message, multivoice_message, time_in_call_secs, user_identifier: _ } = self;
        let message = message.filter(|message| !message.is_empty());
        let time = time_in_call_secs.filter(|secs| number::is_time_in_call(*secs));
        if time != time_in_call_secs {
            oddities.note("transcript.time_in_call_secs");
        }
        Turn { role, message: message.or_else(|| multivoice_message?.text()), time_in_call_secs: time }
    }
}

impl MultivoiceWire {
    /// What all voices said, one after the other.
    fn text(self) -> Option<String> {
        let parts = self.parts?.into_iter().flatten().filter_map(|part| part.text);
        let texts: Vec<String> = parts.filter(|text| !text.is_empty()).collect();
        (!texts.is_empty()).then(|| texts.join(" "))
    }
}
