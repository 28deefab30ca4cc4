//! The way of a request: route, faults, parameters, key, limits, answer.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, Method, Response, Uri};

use super::gate::{self, Cut, Fate, InFlight};
use super::problem::Problem;
use super::query::Parameters;
use super::reply::{self, Reply};
use super::wire::{Conduct, Wire};
use super::{agents, control, conversations};
use crate::faults::Faults;
use crate::world::World;

/// Into how many drops a slow body is cut.
const DROPS: u32 = 20;

/// What can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Route<'a> {
    List,
    Detail(&'a str),
    Audio(&'a str),
    Agents,
    Agent(&'a str),
    Unknown,
    WrongMethod,
}

impl<'a> Route<'a> {
    fn of(method: &Method, path: &'a str) -> Self {
        let Some(rest) = path.strip_prefix("/v1/convai/") else { return Self::Unknown };
        let mut parts = rest.split('/');
        let route = match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some("conversations"), None, ..) => Self::List,
            (Some("conversations"), Some(id), None, _) if !id.is_empty() => Self::Detail(id),
            (Some("conversations"), Some(id), Some("audio"), None) => Self::Audio(id),
            (Some("agents"), None, ..) => Self::Agents,
            (Some("agents"), Some(id), None, _) if !id.is_empty() => Self::Agent(id),
            _ => return Self::Unknown,
        };
        if method == Method::GET { route } else { Self::WrongMethod }
    }

    fn count(self, world: &World) {
        let mut served = world.served();
        match self {
            Self::List => served.count_list(),
            Self::Detail(_) => served.count_detail(),
            Self::Agents => served.agents_list += 1,
            Self::Agent(_) => served.agent_detail += 1,
            Self::Audio(_) | Self::Unknown | Self::WrongMethod => served.other += 1,
        }
        drop(served);
        if let Self::Detail(id) = self {
            let number = world.index().number(id);
            world.count_detail(id, number);
        }
    }

    fn answered(self, world: &World) {
        match self {
            Self::List => world.served().answered_list(),
            Self::Detail(_) => world.served().answered_detail(),
            _ => {}
        }
    }
}

/// Everything that is served.
pub(crate) fn router(world: Arc<World>) -> Router {
    control::routes().fallback(answer).with_state(world)
}

async fn answer(
    State(world): State<Arc<World>>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    request: Request,
) -> Response<Body> {
    wire.conduct(Conduct::Good);
    let route = Route::of(request.method(), request.uri().path());
    route.count(&world);
    let in_flight = InFlight::enter(&world);
    let faults = faults_for(&world, route);
    let fate = gate::draw(&world, &faults, &in_flight);
    if !fate.delay.is_zero() {
        // Not tokio's timer, which counts in milliseconds and rounds up twice: of 50 ms it makes 52.
        async_io::Timer::after(fate.delay).await;
    }
    if let Route::Detail(id) = route {
        world.released(id).await;
    }
    let trace_id = format!("{:032x}", fate.trace);
    let reply = if let Some(status) = fate.html {
        world.served().html += 1;
        Reply::html(status)
    } else {
        serve(&world, route, &request, &faults, &fate)
            .unwrap_or_else(|problem| Reply::problem(&problem, &trace_id, faults.legacy_errors))
    };
    let status = reply.status;
    let response = reply.write(&trace_id, takes_gzip(&world, &request), faults.date_shift_secs);
    misconduct(&world, &wire, &faults, &fate, status, &response);
    route.answered(&world);
    drop(in_flight);
    response
}

fn takes_gzip(world: &World, request: &Request) -> bool {
    world.gzip && reply::takes_gzip(request.headers())
}

/// The faults in force on a route.
fn faults_for(world: &World, route: Route<'_>) -> Faults {
    let faults = world.knobs().faults.clone();
    if faults.only_details && !matches!(route, Route::Detail(_)) {
        // those of ids still shape what lists show: a call in progress is listed as one
        return Faults { repeat: faults.repeat, legacy_errors: faults.legacy_errors, ..Faults::default() };
    }
    faults
}

/// The checks in the order of the API, then the answer.
fn serve(
    world: &World,
    route: Route<'_>,
    request: &Request,
    faults: &Faults,
    fate: &Fate,
) -> Result<Reply, Problem> {
    if let Some(problem) = &fate.problem {
        return Err(problem.clone());
    }
    let pass = || {
        check_key(world, request.headers(), faults)?;
        fate.limit.clone().map_or(Ok(()), Err)
    };
    match route {
        Route::Unknown => Err(Problem::Plain(404, "Not Found")),
        Route::WrongMethod => Err(Problem::Plain(405, "Method Not Allowed")),
        Route::List => {
            conversations::list(world, &checked(request.uri(), conversations::Filter::read)?, pass)
        }
        Route::Detail(id) => {
            checked(request.uri(), conversations::format)?;
            pass()?;
            conversations::detail(world, id, takes_gzip(world, request))
        }
        Route::Audio(id) => {
            pass()?;
            Err(conversations::audio(world, id))
        }
        Route::Agents => agents::list(world, &checked(request.uri(), agents::Filter::read)?, pass),
        Route::Agent(id) => {
            pass()?;
            agents::detail(world, id)
        }
    }
}

fn checked<T>(uri: &Uri, read: impl FnOnce(&mut Parameters) -> T) -> Result<T, Problem> {
    let mut parameters = Parameters::read(uri);
    let value = read(&mut parameters);
    if parameters.problems.is_empty() { Ok(value) } else { Err(Problem::Invalid(parameters.problems)) }
}

fn check_key(world: &World, headers: &HeaderMap, faults: &Faults) -> Result<(), Problem> {
    match headers.get("xi-api-key") {
        None if headers.contains_key("authorization") => Err(Problem::bearer()),
        None => Err(Problem::no_key()),
        Some(key) if faults.refuse_key || key.as_bytes() != world.api_key.as_bytes() => {
            Err(Problem::wrong_key())
        }
        Some(_) if faults.scope_missing => Err(Problem::missing_scope()),
        Some(_) => Ok(()),
    }
}

/// Counts the answer and tells the connection how to carry it.
fn misconduct(
    world: &World,
    wire: &Wire,
    faults: &Faults,
    fate: &Fate,
    status: u16,
    response: &Response<Body>,
) {
    use axum::body::HttpBody as _;
    let bytes = usize::try_from(response.body().size_hint().lower()).unwrap_or(usize::MAX);
    let mut served = world.served();
    if let Some(cut) = fate.cut {
        served.dropped += 1;
        // the headers are longer than 200 bytes: even an empty body is cut
        wire.conduct(Conduct::CutAfter(if cut == Cut::Before { 0 } else { 200 + bytes / 2 }));
        return;
    }
    served.count_status(status);
    if fate.is_slow {
        served.slow += 1;
        let bytes = (bytes / DROPS as usize).max(1);
        wire.conduct(Conduct::Drip { bytes, pause: faults.slow_body_for / DROPS });
    }
}
