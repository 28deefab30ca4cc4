//! The broker: what we ask for, on its way. The only place that knows lapin.
//!
//! - [`Topology`]: every exchange and queue, with its arguments.
//! - [`Broker`]: a connection; a [`Publisher`] and [`Subscription`]s are made on it.
//! - [`Management`]: the broker's management API, for what AMQP cannot tell.
//! - [`Message`]: a job with its own headers, as it travels; [`Delivery`]: one that arrived and waits for its answer.
//!
//! A connection that is lost is not repaired: who uses it gets [`QueueError::Lost`], drops it and opens another. What
//! was held comes again, and every write is an upsert. lapin's own recovery leaves out channel errors (an ack timeout,
//! a failed declaration), so it would only be a second way beside this one.

mod acks;
mod connection;
mod error;
mod management;
mod message;
mod publisher;
mod subscription;
mod topology;
#[cfg(feature = "testing")]
mod wire;

pub use connection::{Broker, Look};
pub use error::QueueError;
pub use management::{ManagedConsumer, ManagedQueue, Management, ManagementError};
pub use message::{Failure, Lane, Message, UnknownLane};
pub use publisher::Publisher;
pub use subscription::{Delivery, Subscription};
pub use topology::{Destination, Topology};
