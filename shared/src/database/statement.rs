//! Statements that PostgreSQL parses and plans once a connection: those of a batch or a page. `diesel::sql_query` has
//! its statement parsed and planned each time.

use std::marker::PhantomData;

use diesel::RunQueryDsl;
use diesel::pg::{Pg, PgConnection};
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::serialize::ToSql;
use diesel::sql_types::{HasSqlType, Untyped};

/// A statement in SQL, with `$1`, `$2` … for what is bound to it, in whatever order.
pub struct Statement<'a> {
    sql: &'static str,
    bound: Vec<Box<dyn QueryFragment<Pg> + 'a>>,
}

struct Bound<T, U>(U, PhantomData<T>);

impl<'a> Statement<'a> {
    /// A statement that nothing is bound to yet. Its text is what it is known by on a connection: one that is made of values
    /// would fill the server's memory.
    #[must_use]
    pub fn new(sql: &'static str) -> Self {
        Self { sql, bound: Vec::new() }
    }

    /// Binds the next value.
    #[must_use]
    pub fn bind<T, U>(mut self, value: U) -> Self
    where
        T: 'a,
        U: ToSql<T, Pg> + 'a,
        Pg: HasSqlType<T>,
    {
        self.bound.push(Box::new(Bound(value, PhantomData::<T>)));
        self
    }
}

impl QueryFragment<Pg> for Statement<'_> {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let mut parts = self.sql.split('$');
        pass.push_sql(parts.next().unwrap_or_default());
        for part in parts {
            let end = part.find(|character: char| !character.is_ascii_digit()).unwrap_or(part.len());
            let (number, text) = part.split_at(end);
            let bound = number.parse().ok().and_then(|number: usize| self.bound.get(number.checked_sub(1)?));
            let unbound =
                || diesel::result::Error::QueryBuilderError(format!("${number} is not bound").into());
            bound.ok_or_else(unbound)?.walk_ast(pass.reborrow())?;
            pass.push_sql(text);
        }
        Ok(())
    }
}

impl<T, U> QueryFragment<Pg> for Bound<T, U>
where
    U: ToSql<T, Pg>,
    Pg: HasSqlType<T>,
{
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        pass.push_bind_param::<T, U>(&self.0)
    }
}

impl QueryId for Statement<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Statement<'_> {
    type SqlType = Untyped;
}

impl RunQueryDsl<PgConnection> for Statement<'_> {}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use diesel::debug_query;
    use diesel::sql_types::{Integer, Text};

    use super::*;

    #[test]
    fn what_is_bound_goes_where_its_number_stands() {
        let statement = Statement::new("SELECT $2, $1, $2").bind::<Text, _>("a").bind::<Integer, _>(7);
        assert_eq!(debug_query::<Pg, _>(&statement).to_string(), "SELECT $1, $2, $3 -- binds: [7, \"a\", 7]");
    }

    #[test]
    fn a_number_without_a_value_is_an_error() {
        let statement = Statement::new("SELECT $2").bind::<Text, _>("a");
        assert!(write!(String::new(), "{}", debug_query::<Pg, _>(&statement)).is_err());
    }
}
