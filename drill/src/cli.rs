//! The command line, and the order of a drill: build, play, come to rest, check.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use chrono::Utc;
use clap::Parser;
use shared::exit::Exit;
use shared::shutdown::Shutdown;

use crate::books::{Books, compare_folios, compare_queues};
use crate::fault::Fault;
use crate::journal::Journal;
use crate::lookout::{Lookout, Seen};
use crate::plan::Plan;
use crate::play::{Played, Player};
use crate::report::Report;
use crate::servers::Unavailable;
use crate::stage::Stage;
use crate::{privacy, rest};

/// A drill that is told to stop has nothing to finish.
const GRACE: Duration = Duration::ZERO;

/// Everything that can go wrong goes wrong, by a seeded schedule; then the books are checked: nothing lost, nothing twice.
///
/// Workers and a `producer watch` run as processes against a PostgreSQL and a RabbitMQ of the drill's own and the
/// simulated API, to which calls are added all the time. The disk of the database is a small file system that is really
/// full where root can mount one; elsewhere a trigger refuses every write with PostgreSQL's own code for it (53100).
#[derive(Debug, Parser)]
#[command(name = "drill", bin_name = "./dev drill", version, after_help = EXIT_CODES)]
pub struct Options {
    /// For how long faults are played; starting, coming to rest and checking take one or two minutes more
    #[arg(long, value_name = "M", default_value = "1.7", value_parser = minutes)]
    minutes: Duration,

    /// Same seed, same schedule; without it, the time
    #[arg(long, value_name = "S")]
    seed: Option<u64>,

    /// Workers at once
    #[arg(long, value_name = "N", default_value = "3", value_parser = clap::value_parser!(u8).range(1..=16))]
    workers: u8,

    /// Print the schedule, and play nothing
    #[arg(long)]
    plan: bool,

    /// Keep the logs of programs and servers, as after a discrepancy, and say where they are
    #[arg(long)]
    keep: bool,

    /// An empty folder for servers and logs: ./dev drill names one
    #[arg(long, value_name = "DIR", hide = true, required_unless_present = "plan")]
    folder: Option<PathBuf>,

    /// A small file system for the database's tables
    #[arg(long, value_name = "DIR", hide = true)]
    small_disk: Option<PathBuf>,
}

const EXIT_CODES: &str = "\
Exit codes:
   0  the books are exact
   1  they are not: every discrepancy is named; or the drill itself failed
  64  wrong usage
  69  no PostgreSQL and RabbitMQ that could be started here, only containers";

fn minutes(text: &str) -> Result<Duration, String> {
    let minutes: f64 =
        text.parse().map_err(|_| "expected a number of minutes, such as 1.5 or 30".to_owned())?;
    if (0.5..=1440.0).contains(&minutes) {
        Ok(Duration::from_secs_f64(minutes * 60.0))
    } else {
        Err("expected between 0.5 and 1440 minutes".to_owned())
    }
}

impl Options {
    /// Holds the drill.
    ///
    /// # Errors
    /// What keeps it from being held.
    pub async fn run(self) -> anyhow::Result<Exit> {
        #[expect(clippy::disallowed_methods, reason = "the clock is read where the drill begins")]
        let now = Utc::now();
        let seed = self.seed.unwrap_or_else(|| now.timestamp().unsigned_abs());
        let plan = Plan::new(seed, self.minutes, self.workers.into());
        if self.plan {
            write!(std::io::stdout(), "seed {seed}, plan {}\n{plan}", plan.fingerprint())?;
            return Ok(Exit::Done);
        }
        let folder = self.folder.context("a folder")?;
        if self.keep {
            // By this ./dev knows, who looks after the folder.
            std::fs::write(folder.join("keep"), "")?;
        }
        let shutdown = Shutdown::on_signals(GRACE)?;
        let drill = async {
            let stage = match Stage::build(&folder, self.small_disk.as_deref(), seed, now).await {
                Err(error) if error.is::<Unavailable>() => {
                    writeln!(std::io::stderr(), "{error}")?;
                    return Ok(Exit::Unavailable);
                }
                stage => Arc::new(stage?),
            };
            let workers = usize::from(self.workers);
            let journal = Arc::new(Journal::create(&stage.servers.logs().join("drill.log"))?);
            migrate(&stage).await?;
            journal.note(&format!("seed {seed}, plan {}: {} faults", plan.fingerprint(), plan.acts().len()));
            let course = hold(&stage, &journal, &plan, workers).await?;
            journal.note("checking the books");
            let checked = check(&stage, course).await?;
            journal.note("checked");
            let report = Report { seed, plan: plan.fingerprint(), workers, ..checked };
            write!(std::io::stdout(), "{report}")?;
            Ok(if report.is_exact() { Exit::Done } else { Exit::Failed })
        };
        tokio::select! {
            outcome = drill => outcome,
            () = shutdown.soft().cancelled() => anyhow::bail!("stopped before its end"),
        }
    }
}

/// What there is to say of a drill before the books are read.
struct Course {
    kinds: BTreeMap<String, u32>,
    endings: BTreeMap<String, u32>,
    memory: Seen,
    played_for: Duration,
    rested_after: Duration,
    wrong: Vec<String>,
}

/// From the first fault until nobody works any more.
async fn hold(
    stage: &Arc<Stage>,
    journal: &Arc<Journal>,
    plan: &Plan,
    workers: usize,
) -> anyhow::Result<Course> {
    let lookout = Lookout::begin(Arc::clone(stage), Arc::clone(journal));
    let (crew, producer) = stage.crew(workers);
    let (crew, producer) = (Arc::new(crew), Arc::new(producer));
    let player =
        Player::new(Arc::clone(stage), Arc::clone(journal), Arc::clone(&crew), Arc::clone(&producer));
    let Played { kinds, complaints: mut wrong } = Arc::new(player).play(plan).await;
    let played_for = journal.elapsed();
    journal.note("no more faults");
    wrong.extend(rest::come_to_rest(stage, journal).await?);
    let rested_after = journal.elapsed().saturating_sub(played_for);
    let memory = lookout.end().await?;
    let crew = Arc::into_inner(crew).context("nobody plays any more")?;
    let producer = Arc::into_inner(producer).context("nobody plays any more")?;
    let (complaints, endings) = rest::retire(crew, producer).await;
    wrong.extend(complaints);
    Ok(Course { kinds, endings, memory, played_for, rested_after, wrong })
}

/// Reads the books, and compares all that must agree.
async fn check(stage: &Stage, course: Course) -> anyhow::Result<Report> {
    let Course { kinds, endings, mut memory, played_for, rested_after, mut wrong } = course;
    let books = Books::read(stage).await?;
    memory.compare(&books.stored);
    wrong.extend(books.discrepancies());
    wrong.extend(stage.ledger.changes().await?);
    let crashes = kinds.get(&Fault::DatabaseCrashed.kind()).copied().unwrap_or(0);
    let log = std::fs::read(stage.servers.logs().join("postgres.log"))?;
    let last = stage.ledger.last_folio().await?;
    let (folios, complaints) = compare_folios(&books, &memory, &String::from_utf8_lossy(&log), last, crashes);
    wrong.extend(complaints);
    let (complaints, letters) = compare_queues(stage, &books).await?;
    wrong.extend(complaints);
    wrong.extend(privacy::search(stage, &letters).await?);
    let classes = stage.ledger.classes().await?;
    wrong.extend(too_many_crashed(&classes, books.listed.len()));
    let asked = stage.simulator.served().details_by_id;
    let is_real = stage.servers.small_disk().is_some();
    Ok(Report {
        played_for,
        rested_after,
        disk: if is_real { " (a small file system, really full)" } else { " (a trigger that raises 53100)" },
        faults: kinds,
        endings,
        listed: books.listed.len(),
        stored: books.stored.len(),
        unrecorded: books.unrecorded(),
        dead: books.dead().count(),
        classes,
        discarded: books.discarded().count(),
        requests: asked.values().sum(),
        repeated: asked.values().map(|times| times - 1).sum(),
        folios,
        idle: memory.idle,
        looks: memory.looks,
        discrepancies: wrong,
        ..Report::default()
    })
}

/// No fault that is played kills the worker of one job again and again, so next to none may reach the broker's limit.
fn too_many_crashed(classes: &BTreeMap<String, i64>, listed: usize) -> Option<String> {
    let crashed = usize::try_from(*classes.get("crashed")?).unwrap_or(usize::MAX);
    let most = listed / 1000;
    (crashed > most).then(|| {
        format!(
            "{crashed} jobs came back to the broker until it set them aside (crashed); at most {most} may"
        )
    })
}

async fn migrate(stage: &Stage) -> anyhow::Result<()> {
    let mut child = stage.recipe.start("producer-migrate", "producer", &["migrate".to_owned()])?;
    anyhow::ensure!(child.wait().await?.success(), "producer migrate fails");
    Ok(stage.ledger.record().await?)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Options::command().debug_assert();
        assert!(Options::try_parse_from(["drill", "--minutes", "30", "--seed", "7", "--plan"]).is_ok());
        for minutes in ["0", "-1", "soon", "1e9", "NaN"] {
            assert!(Options::try_parse_from(["drill", "--plan", "--minutes", minutes]).is_err(), "{minutes}");
        }
    }
}
