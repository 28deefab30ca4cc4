//! What can go wrong at the broker.

use lapin::ErrorKind;
use lapin::protocol::{AMQPErrorKind, AMQPHardError, AMQPSoftError};

use super::connection::FRAME_MAX_BYTES;

/// What went wrong at the broker. No address is repeated: it holds a password.
#[derive(Clone, Debug, thiserror::Error)]
pub enum QueueError {
    /// No connection could be made.
    #[error("the broker cannot be reached ({reason}): check AMQP_URL and that RabbitMQ runs")]
    Unreachable {
        /// Which step failed.
        reason: String,
    },
    /// User, password or virtual host are refused.
    #[error("the broker refuses the login: check user, password and virtual host in AMQP_URL")]
    LoginRefused,
    /// The connection, a channel or a consumer ended.
    #[error("the broker was lost ({reason})")]
    Lost {
        /// What the broker or the network said.
        reason: String,
    },
    /// A message came that cannot be read, so that the connection is of no use any more: a stranger's, since ours are ids.
    #[error(
        "a message of a stranger cannot be read: its headers are no UTF-8, or longer than {FRAME_MAX_BYTES} bytes"
    )]
    Unreadable,
    /// A queue or exchange exists with other arguments, or we lack the right to declare it.
    #[error(
        "the broker refuses a queue or exchange ({reason}): delete it if it is empty, or choose another AMQP_NAMESPACE"
    )]
    Topology {
        /// What the broker said.
        reason: String,
    },
    /// The broker took a message and could not keep it.
    #[error("the broker refused a message for {queue}")]
    Nacked {
        /// Where it was to go.
        queue: String,
    },
    /// No queue is bound where a message was to go.
    #[error("the broker returned a message: no queue {queue}")]
    Returned {
        /// Where it was to go.
        queue: String,
    },
    /// No answer within the time allowed.
    #[error("the broker did not confirm a message for {queue} in time")]
    Unconfirmed {
        /// Where it was to go.
        queue: String,
    },
}

impl QueueError {
    /// What a failed attempt to connect means.
    pub(super) fn connecting(error: &lapin::Error) -> Self {
        let refused = match error.kind() {
            ErrorKind::ProtocolError(error) => match error.kind() {
                // A wrong user or password.
                AMQPErrorKind::Soft(AMQPSoftError::ACCESSREFUSED) => true,
                // An unknown virtual host, or one that is not ours; one that is down, or full, may pass.
                AMQPErrorKind::Hard(AMQPHardError::NOTALLOWED) => {
                    let text = error.get_message().as_str();
                    text.contains("not found") || text.contains("refused for user")
                }
                _ => false,
            },
            _ => false,
        };
        if refused { Self::LoginRefused } else { Self::Unreachable { reason: reason(error) } }
    }

    /// What a failed declaration means: other arguments, or no right to it. Anything else may pass.
    pub(super) fn declaring(error: &lapin::Error) -> Self {
        let refused = match error.kind() {
            ErrorKind::ProtocolError(error) => matches!(
                error.kind(),
                AMQPErrorKind::Soft(AMQPSoftError::PRECONDITIONFAILED | AMQPSoftError::ACCESSREFUSED)
            ),
            _ => false,
        };
        if refused { Self::Topology { reason: reason(error) } } else { error.into() }
    }
}

impl From<&lapin::Error> for QueueError {
    fn from(error: &lapin::Error) -> Self {
        let is_unreadable = match error.kind() {
            ErrorKind::ParsingError(_) => true,
            ErrorKind::ProtocolError(error) => {
                *error.kind() == AMQPErrorKind::Hard(AMQPHardError::FRAMEERROR)
            }
            _ => false,
        };
        if is_unreadable { Self::Unreadable } else { Self::Lost { reason: reason(error) } }
    }
}

impl From<lapin::Error> for QueueError {
    fn from(error: lapin::Error) -> Self {
        Self::from(&error)
    }
}

/// Whether what was named does not exist.
pub(super) fn is_not_found(error: &lapin::Error) -> bool {
    match error.kind() {
        ErrorKind::ProtocolError(error) => *error.kind() == AMQPErrorKind::Soft(AMQPSoftError::NOTFOUND),
        _ => false,
    }
}

/// lapin's texts name addresses and queues, the broker's name queues and users; none holds a message or a password.
fn reason(error: &lapin::Error) -> String {
    match error.kind() {
        ErrorKind::ProtocolError(error) => format!("{} {}", error.get_id(), error.get_message()),
        _ => error.to_string(),
    }
}
