//! The content's hash: the same `huella`, nothing to write.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};
use shared::database::rows::{ConversationRow, ReportRow};

/// Raised when the same conversation normalizes to other rows than before, so that stored ones are written anew.
pub const NORMALIZER_VERSION: u32 = 2;

/// Bytes of everything but the transcript, usually: to make room once.
const USUAL_REST: usize = 2048;

/// SHA-256 over the `MessagePack` of the version, both rows, taken before `tapado` and `rarezas` are there (how a call was
/// read is no content, and makes nobody write it anew), and the list of what `datos` keeps, if there is one: a value that is
/// stored, and does not come again, goes when the list is narrowed. Objects inside are sorted by key when they are built, so
/// the same content has the same serialization, whatever order the source wrote it in.
pub(super) fn of(
    conversation: &ConversationRow,
    report: Option<&ReportRow>,
    listed: Option<&BTreeSet<String>>,
) -> Vec<u8> {
    let mut content = Vec::with_capacity(conversation.transcripcion.len() + USUAL_REST);
    rmp_serde::encode::write(&mut content, &(NORMALIZER_VERSION, conversation, report, listed))
        .expect("rows have text keys only, so they serialize");
    Sha256::digest(content).to_vec()
}
