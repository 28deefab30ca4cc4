//! Private data of a call: invented, unique, and traceable.
//!
//! Everything here is planted somewhere in the detail, but never in a message, the summary or a collected value, so
//! that a consumer which keeps those three and nothing else must never let one of these strings through.

use super::Call;
use crate::dice;

/// Twelve hexadecimal characters of their own for one purpose of one call.
pub(crate) fn token(seed: u64, number: u32, purpose: &str) -> String {
    format!("{:012x}", dice::draw(seed, purpose, number.into()) >> 16)
}

/// The person a call was transferred to.
pub(crate) fn transferred_to(call: &Call<'_>) -> String {
    format!("Licenciada-{}", token(call.seed, call.number, "transfer"))
}

/// The private strings of one call.
#[derive(Debug)]
pub(crate) struct Private {
    /// The caller's name, quoted by rationales and tools.
    pub(crate) name: String,
    /// The caller's address, in tool parameters and results.
    pub(crate) address: String,
    /// The caller's e-mail address, in the extra body of the language model.
    pub(crate) email: String,
    /// A bearer token in the headers of a tool call.
    pub(crate) tool_token: String,
    /// The signature of a file's URL.
    pub(crate) file_signature: String,
    /// The provider's call id.
    pub(crate) call_sid: String,
    pub(crate) stream_sid: String,
    /// A name in a SIP header.
    pub(crate) sip_name: String,
    /// What the caller wrote as feedback.
    pub(crate) comment: String,
    /// The recipient of a batch of calls.
    pub(crate) batch_recipient: String,
    /// Who began the conversation.
    pub(crate) initiator: String,
    /// A person named in the reason of a transfer, in an error or in a warning.
    pub(crate) transferred_to: String,
    /// What was looked up in the knowledge base.
    pub(crate) query: String,
    /// A user of `WhatsApp`.
    pub(crate) whatsapp_user: String,
    /// The same user to a business, as newer versions of the API write it.
    pub(crate) business_user: String,
}

impl Private {
    pub(crate) fn new(call: &Call<'_>) -> Self {
        let token = |purpose| token(call.seed, call.number, purpose);
        Self {
            name: format!("Zutano-{}", token("name")),
            address: format!("Calle Mengano-{}", token("address")),
            email: format!("mengana.{}@correo.example", token("email")),
            tool_token: format!("tok_{}", token("tool")),
            file_signature: format!("firma{}", token("file")),
            call_sid: format!("CA{}{}", token("call sid"), token("call sid 2")),
            stream_sid: format!("MZ{}{}", token("stream sid"), token("stream sid 2")),
            sip_name: format!("Fulano-{}", token("sip")),
            comment: format!("Perengano-{}", token("comment")),
            batch_recipient: format!("rcpt_{}", token("batch")),
            initiator: format!("init_{}", token("initiator")),
            transferred_to: transferred_to(call),
            query: format!("Fulana-{}", token("query")),
            whatsapp_user: format!("wa_{}", token("whatsapp")),
            business_user: format!("MX.{:020}", dice::draw(call.seed, "business user", call.number.into())),
        }
    }

    /// All of them.
    pub(crate) fn into_strings(self) -> [String; 15] {
        [
            self.name,
            self.address,
            self.email,
            self.tool_token,
            self.file_signature,
            self.call_sid,
            self.stream_sid,
            self.sip_name,
            self.comment,
            self.batch_recipient,
            self.initiator,
            self.transferred_to,
            self.query,
            self.whatsapp_user,
            self.business_user,
        ]
    }
}
