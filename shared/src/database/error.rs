//! What can go wrong at the database. PostgreSQL's texts quote the row they refuse, so only SQLSTATE and constraint pass.

use diesel::result::{ConnectionError, DatabaseErrorKind, Error};

/// What went wrong at the database.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DatabaseError {
    /// No connection could be made.
    #[error("PostgreSQL cannot be reached ({reason}): check DATABASE_URL and that it runs")]
    Unreachable {
        /// What libpq said; it names host, port, user and database, never a password.
        reason: String,
    },
    /// User, password or database are refused.
    #[error("PostgreSQL refuses the login ({reason}): check user, password and database in DATABASE_URL")]
    LoginRefused {
        /// What libpq said.
        reason: String,
    },
    /// A connection ended in the middle of something.
    #[error("the connection to PostgreSQL was lost")]
    Lost,
    /// The database answers, and takes no writes: read-only, full, or without the right for it.
    #[error("PostgreSQL takes no writes ({reason})")]
    Unwritable {
        /// What is known of it.
        reason: String,
    },
    /// A table is of a shape that takes no call at all.
    #[error("PostgreSQL takes no call ({reason}): `producer check` says what to mend")]
    Unfit {
        /// What PostgreSQL said of a call of no value, and what is known to be the matter with the table.
        reason: String,
    },
    /// The login lacks a right.
    #[error(
        "PostgreSQL denies the login a right ({reason}): it must belong to the group of deploy/postgres/10-roles.sql \
         for this program, and `producer migrate` grants what that group needs"
    )]
    Forbidden {
        /// What PostgreSQL said; it names a table, a schema or a sequence, never a value.
        reason: String,
    },
    /// A constraint refused a row: the same row will be refused again.
    #[error("PostgreSQL refused a row (SQLSTATE {sqlstate}, constraint {constraint})")]
    Refused {
        /// The five characters.
        sqlstate: &'static str,
        /// The constraint's name, or the column that may not be NULL.
        constraint: String,
    },
    /// Any other failure of a statement; it may pass.
    #[error("a statement failed in PostgreSQL ({kind})")]
    Statement {
        /// diesel's name for the kind of error, with the SQLSTATE where diesel tells it.
        kind: String,
    },
}

/// How PostgreSQL begins to say that a right is missing.
const DENIED: [&str; 2] = ["permission denied", "permiso denegado"];

impl DatabaseError {
    /// Whether the database as a whole is away, rather than one row at fault.
    #[must_use]
    pub fn is_outage(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. }
                | Self::LoginRefused { .. }
                | Self::Lost
                | Self::Unwritable { .. }
                | Self::Unfit { .. }
                | Self::Forbidden { .. }
        )
    }

    /// What a failed attempt to connect means. libpq hands out no SQLSTATE here, only text, in the server's language.
    pub(super) fn connecting(text: &str) -> Self {
        const REFUSED: [&str; 8] = [
            "password",
            "contraseña",
            "authentication",
            "autentificación",
            "pg_hba.conf",
            "does not exist",
            "no existe",
            "permission denied",
        ];
        // A server that starts, stops or is full, or a database that is closed for a while, answers too.
        let first_line = text.lines().next().unwrap_or_default().trim();
        let reason =
            first_line.rsplit_once("FATAL: ").map_or(first_line, |(_, reason)| reason).trim().to_owned();
        let answered = text.contains("FATAL") || text.contains("fe_sendauth");
        if answered && REFUSED.iter().any(|word| reason.contains(word)) {
            Self::LoginRefused { reason }
        } else {
            Self::Unreachable { reason }
        }
    }
}

impl From<Error> for DatabaseError {
    fn from(error: Error) -> Self {
        let (kind, information) = match error {
            Error::DatabaseError(kind, information) => (kind, information),
            Error::BrokenTransactionManager => return Self::Lost,
            Error::NotFound => return Self::Statement { kind: "no row where one was expected".to_owned() },
            // These hold texts of diesel's own making about types and queries; the variant says enough.
            Error::DeserializationError(_) => {
                return Self::Statement { kind: "a value of an unexpected type".to_owned() };
            }
            Error::SerializationError(_) => {
                return Self::Statement { kind: "a value that cannot be sent".to_owned() };
            }
            _ => return Self::Statement { kind: "a query that cannot be built".to_owned() },
        };
        let refused = |sqlstate| Self::Refused {
            sqlstate,
            constraint: information
                .constraint_name()
                .or(information.column_name())
                .unwrap_or("unnamed")
                .to_owned(),
        };
        match kind {
            DatabaseErrorKind::UniqueViolation => refused("23505"),
            DatabaseErrorKind::ForeignKeyViolation => refused("23503"),
            DatabaseErrorKind::NotNullViolation => refused("23502"),
            DatabaseErrorKind::CheckViolation => refused("23514"),
            DatabaseErrorKind::RestrictViolation => refused("23001"),
            DatabaseErrorKind::ExclusionViolation => refused("23P01"),
            DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand => Self::Lost,
            DatabaseErrorKind::SerializationFailure => Self::Statement { kind: "SQLSTATE 40001".to_owned() },
            DatabaseErrorKind::ReadOnlyTransaction => {
                Self::Unwritable { reason: "SQLSTATE 25006".to_owned() }
            }
            // diesel hands out no SQLSTATE for this one, only text, in the server's language.
            _ if DENIED.iter().any(|denied| information.message().starts_with(denied)) => {
                Self::Forbidden { reason: information.message().to_owned() }
            }
            kind => Self::Statement { kind: format!("{kind:?}") },
        }
    }
}

impl From<ConnectionError> for DatabaseError {
    fn from(error: ConnectionError) -> Self {
        match error {
            ConnectionError::BadConnection(text) => Self::connecting(&text),
            ConnectionError::CouldntSetupConfiguration(error) => error.into(),
            _ => Self::LoginRefused { reason: "not a connection string that libpq understands".to_owned() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_login_is_told_from_a_server_that_is_away() {
        let prefix = "connection to server at \"db\" (10.0.0.2), port 5432 failed: ";
        let refused = [
            "FATAL:  password authentication failed for user \"ana\"",
            "FATAL:  la autentificación password falló para el usuario «ana»",
            "FATAL:  database \"llamadas\" does not exist",
            "FATAL:  no existe la base de datos «llamadas»",
            "FATAL:  role \"ana\" does not exist",
            "FATAL:  no pg_hba.conf entry for host \"10.0.0.3\"",
        ];
        for text in refused {
            let error = DatabaseError::connecting(&format!("{prefix}{text}\n"));
            assert!(matches!(error, DatabaseError::LoginRefused { .. }), "{text}: {error}");
        }
        let away = [
            "Connection refused\n\tIs the server running on that host?",
            "FATAL:  the database system is starting up",
            "FATAL:  sorry, too many clients already",
            "FATAL:  database \"llamadas\" is not currently accepting connections",
            "timeout expired",
        ];
        for text in away {
            let error = DatabaseError::connecting(&format!("{prefix}{text}\n"));
            assert!(
                error.is_outage() && matches!(error, DatabaseError::Unreachable { .. }),
                "{text}: {error}"
            );
        }
    }
}
