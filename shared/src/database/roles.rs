//! Least rights: the groups that `deploy/postgres/10-roles.sql` prepares a database for, one of which owns the tables.
//!
//! A database that it has not prepared belongs to a single user, and nothing here touches it.

use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::result::Error;
use diesel::sql_types::{Bool, Text};
use diesel::{QueryableByName, RunQueryDsl, sql_query};

/// Whose the tables are. Whoever is a member migrates as this group, so that the next one may be another member.
const OWN: &str = "SET ROLE backend089_migrador";

/// Who may do what, in step with the migrations beside it.
const GRANTS: &str = include_str!("../../../migrations/grants.sql");

/// What a login is in a database.
pub(super) enum Standing {
    /// The only user of a database that knows no groups.
    Single,
    /// One of those that own the tables.
    Owner,
    /// One of those that do not.
    Other {
        /// Its name.
        login: String,
    },
}

/// What the login of a connection is. The grant that is looked for is given by `10-roles.sql` and by nothing else: the
/// groups alone may be there for the sake of another database of the same server.
pub(super) fn standing(connection: &mut PgConnection) -> Result<Standing, Error> {
    #[derive(QueryableByName)]
    struct Login {
        #[diesel(sql_type = Text)]
        name: String,
        #[diesel(sql_type = Bool)]
        is_prepared: bool,
        #[diesel(sql_type = Bool)]
        is_member: bool,
    }
    let login: Login = sql_query(
        "SELECT current_user::text AS name, pg_has_role(oid, 'MEMBER') AS is_member, EXISTS (SELECT \
             FROM pg_namespace, aclexplode(nspacl) \
             WHERE nspname = 'public' AND grantee = pg_roles.oid AND privilege_type = 'CREATE') AS is_prepared \
         FROM pg_roles WHERE rolname = 'backend089_migrador' \
         UNION ALL SELECT current_user::text, false, false LIMIT 1",
    )
    .get_result(connection)?;
    Ok(match login {
        Login { is_prepared: false, .. } => Standing::Single,
        Login { is_member: true, .. } => Standing::Owner,
        Login { name, .. } => Standing::Other { login: name },
    })
}

/// Becomes the owner of the tables, until `RESET ROLE`.
pub(super) fn own(connection: &mut PgConnection) -> Result<(), Error> {
    connection.batch_execute(OWN)
}

/// Takes back what was granted, and grants what this release lists.
pub(super) fn grant(connection: &mut PgConnection) -> Result<(), Error> {
    connection.batch_execute(GRANTS)
}
