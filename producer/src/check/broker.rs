//! RabbitMQ: the login, the queues as they must be, the rights, and what only its management API tells.

use shared::config::AmqpConfig;
use shared::exit::Exit;
use shared::process;
use shared::queue::{Broker, Management, ManagementError, QueueError};

use super::report::Report;

const CHECK: &str = "broker";

/// The oldest version whose quorum queues do what ours rely on: time to live, and dead-lettering at least once.
const OLDEST: (u32, u32) = (3, 10);

/// What a policy may set to make jobs vanish, expire or move where our arguments do not say.
const OVERRIDING: [&str; 8] = [
    "dead-letter-exchange",
    "dead-letter-routing-key",
    "delivery-limit",
    "expires",
    "max-length",
    "max-length-bytes",
    "message-ttl",
    "overflow",
];

pub(super) async fn check(config: Option<&AmqpConfig>, report: &mut Report) {
    let Some(config) = config else {
        return report.skipped(CHECK, "not tried: its settings cannot be read");
    };
    match Broker::open(config, &process::name("producer")).await {
        Ok(broker) => {
            report.good(CHECK, "RabbitMQ takes the login");
            let refusals = broker.refusals().await;
            let (rights, others): (Vec<_>, Vec<_>) = refusals.iter().partition(|error| lacks_right(error));
            // One remedy mends all of them.
            for error in rights.into_iter().take(1).chain(others) {
                refused(error, &config.namespace, report);
            }
            if refusals.is_empty() {
                let namespace = &config.namespace;
                let finding =
                    format!("the queues {namespace}.* are as they must be, and the exchange takes messages");
                report.good(CHECK, finding);
            }
            broker.close().await;
        }
        // The error's own text tells the rest.
        Err(error) => {
            let exit = Exit::of(&error);
            report.failed(CHECK, exit, error.to_string(), "set AMQP_URL, or start RabbitMQ");
        }
    }
    match Management::new(config) {
        Ok(None) => {
            let reason = "version, alarms and policies are unknown: AMQP_MANAGEMENT_URL is not set";
            report.skipped(CHECK, reason);
        }

        Ok(Some(management)) => {
            if let Err(error) = managed(&management, &config.namespace, report).await {
                fail(&error, report);
            }
        }
        Err(error) => fail(&error, report),
    }
}

fn lacks_right(error: &QueueError) -> bool {
    matches!(error, QueueError::Topology { reason } if reason.contains("ACCESS_REFUSED"))
}

fn refused(error: &QueueError, namespace: &str, report: &mut Report) {
    let exit = Exit::of(error);
    match error {
        QueueError::Topology { reason } if lacks_right(error) => report.failed(
            CHECK,
            exit,
            format!("the user lacks rights ({reason})"),
            format!("rabbitmqctl set_permissions -p VHOST USER '^{namespace}' '^{namespace}' '^{namespace}'"),
        ),
        QueueError::Topology { reason } => report.failed(
            CHECK,
            exit,
            format!("a queue or exchange is not as it must be ({reason})"),
            "stop all producers and consumers, let it run empty, delete it (rabbitmqctl delete_queue NAME), and run \
             this again; or set another AMQP_NAMESPACE",
        ),
        _ => report.failed(CHECK, exit, error.to_string(), "see RabbitMQ's log"),
    }
}

fn fail(error: &ManagementError, report: &mut Report) {
    let exit = match error {
        ManagementError::Unreachable { .. } => Exit::Unavailable,
        ManagementError::Refused | ManagementError::Unusable { .. } => Exit::Usage,
    };
    report.failed(CHECK, exit, error.to_string(), "set AMQP_MANAGEMENT_URL, or leave it out");
}

async fn managed(
    management: &Management,
    namespace: &str,
    report: &mut Report,
) -> Result<(), ManagementError> {
    let version = management.version().await?;
    if is_too_old(&version) {
        let finding = format!("RabbitMQ {version} is too old");
        report.failed(CHECK, Exit::Failed, finding, "upgrade it to 3.10 or later");
    } else {
        report.good(CHECK, format!("RabbitMQ {version}"));
    }
    let queues = management.queues(&format!("{namespace}.")).await?;
    let overriding: Vec<_> = queues
        .iter()
        .filter_map(|queue| {
            let keys: Vec<_> =
                queue.policy_keys().into_iter().filter(|key| OVERRIDING.contains(key)).collect();
            let policy = queue.policy.as_deref().unwrap_or("an operator policy");
            (!keys.is_empty()).then(|| format!("{policy} sets {} on {}", keys.join(", "), queue.name))
        })
        .collect();
    for finding in &overriding {
        report.warning(
            CHECK,
            format!("a policy may make jobs expire or vanish: {finding}"),
            format!("let its pattern leave out {namespace}.*"),
        );
    }
    if overriding.is_empty() {
        report.good(CHECK, "no policy overrides what the queues are declared with");
    }
    // Last: it takes a tag that the others do not.
    let alarms = management.alarms().await?;
    for alarm in &alarms {
        let finding = format!("it is short of {alarm}, and takes no messages");
        report.failed(CHECK, Exit::Unavailable, finding, "free some; see `rabbitmqctl status`");
    }
    if alarms.is_empty() {
        report.good(CHECK, "no alarm is on");
    }
    Ok(())
}

/// One that cannot be read is not.
fn is_too_old(version: &str) -> bool {
    let mut numbers = version.split('.').map(|part| part.parse::<u32>().ok());
    matches!((numbers.next().flatten(), numbers.next().flatten()), (Some(major), Some(minor)) if (major, minor) < OLDEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        for (version, expected) in
            [("3.9.29", true), ("3.10.8", false), ("3.13.0", false), ("4.1.0-rc.1", false), ("?", false)]
        {
            assert_eq!(is_too_old(version), expected, "{version}");
        }
    }
}
