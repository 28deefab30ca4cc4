//! Writers that meet at a row: what PostgreSQL breaks off for no fault of the rows is tried again, where transactions are made.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Barrier, Mutex};

use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::{QueryResult, RunQueryDsl, sql_query};
use shared::database::Database;
use shared::testing::TestDatabase;

fn with_two_rows() -> TestDatabase {
    let database = TestDatabase::migrated();
    database.execute("INSERT INTO agentes (id_agente, nombre) VALUES ('a', ''), ('b', '')");
    database
}

fn add(connection: &mut PgConnection, agent: &str, letter: &str) -> QueryResult<usize> {
    sql_query(format!("UPDATE agentes SET nombre = nombre || '{letter}' WHERE id_agente = '{agent}'"))
        .execute(connection)
}

fn names(database: &TestDatabase) -> Vec<String> {
    database.column("SELECT nombre FROM agentes ORDER BY id_agente")
}

/// Adds a letter to both rows, in this order; at its first try it waits between them until the other has one too.
async fn add_to_both(
    database: Database,
    order: [&'static str; 2],
    letter: &'static str,
    met: Arc<Barrier>,
) -> u32 {
    let tries = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&tries);
    let outcome = database.transaction(move |connection| {
        let is_first = counter.fetch_add(1, Ordering::SeqCst) == 0;
        add(connection, order[0], letter)?;
        if is_first {
            met.wait();
        }
        add(connection, order[1], letter)
    });
    assert_eq!(outcome.await, Ok(1));
    tries.load(Ordering::SeqCst)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadlock_is_broken_and_both_transactions_commit() {
    let database = with_two_rows();
    let pool = database.open().await;
    let met = Arc::new(Barrier::new(2));
    let (first, second) = tokio::join!(
        add_to_both(pool.clone(), ["a", "b"], "1", Arc::clone(&met)),
        add_to_both(pool, ["b", "a"], "2", met),
    );
    assert_eq!(first + second, 3, "one of them was the victim, once");
    for name in names(&database) {
        assert!(["12", "21"].contains(&name.as_str()), "each wrote once: {name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_serialization_failure_is_tried_again() {
    let database = with_two_rows();
    let other = Arc::new(Mutex::new(database.connect()));
    let tries = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&tries);
    let pool = database.open().await;
    let outcome = pool.transaction(move |connection| {
        connection.batch_execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT * FROM agentes")?;
        if counter.fetch_add(1, Ordering::SeqCst) == 0 {
            add(&mut other.lock().expect("nobody panics with it"), "a", "o")?;
        }
        add(connection, "a", "m")
    });
    assert_eq!(outcome.await, Ok(1));
    assert_eq!(tries.load(Ordering::SeqCst), 2);
    assert_eq!(names(&database), ["om", ""]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_somebody_held_too_long_is_tried_for_again() {
    let database = with_two_rows();
    let mut person = database.connect();
    person.batch_execute("BEGIN").unwrap();
    add(&mut person, "a", "p").unwrap();
    let person = Arc::new(Mutex::new(person));
    let tries = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&tries);
    let pool = database.open().await;
    let outcome = pool.transaction(move |connection| {
        if counter.fetch_add(1, Ordering::SeqCst) == 1 {
            person.lock().expect("nobody panics with it").batch_execute("COMMIT")?;
        }
        connection.batch_execute("SET LOCAL lock_timeout = '100ms'")?;
        add(connection, "a", "m")
    });
    assert_eq!(outcome.await, Ok(1));
    assert_eq!(tries.load(Ordering::SeqCst), 2);
    assert_eq!(names(&database), ["pm", ""]);
}
