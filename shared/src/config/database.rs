//! `DATABASE_*`, or the older system's `DB_*`: PostgreSQL.

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::{Environment, FromEnvironment, Problems, Section};

/// How to reach PostgreSQL.
#[derive(Clone, Debug)]
pub struct DatabaseConfig {
    /// `DATABASE_URL`, or what the `DB_*` variables amount to.
    pub url: SecretString,
    /// `DATABASE_POOL_SIZE`: connections of this process.
    pub pool_size: u32,
}

const REQUIRED: &str = "required: postgres://user:password@host:5432/database, or DB_HOST, DB_PORT, DB_NAME, DB_USER, DB_PASSWORD";

impl FromEnvironment for DatabaseConfig {
    fn from_environment(environment: &Environment, problems: &mut Problems) -> Option<Self> {
        let mut section = Section::new(environment, "DATABASE_", problems);
        let pool_size = section.number("pool_size", 4, 1, 100);
        let url = section.secret("url").map(|url| {
            url.filter(|url| {
                let well_formed = Url::parse(url.expose_secret())
                    .is_ok_and(|url| matches!(url.scheme(), "postgres" | "postgresql"));
                if !well_formed {
                    section.problem("url", "expected postgres://user:password@host:5432/database");
                } else if !is_percent_encoded(url.expose_secret()) {
                    section.problem("url", "has a % that encodes nothing: write a % of the password as %25");
                }
                well_formed && is_percent_encoded(url.expose_secret())
            })
        });
        section.finish();
        let mut older = Section::new(environment, "DB_", problems);
        let older_url = older_url(&mut older);
        older.finish();
        let url = match (url?, older_url) {
            (Some(url), older_url) => {
                if !matches!(older_url, Ok(None)) {
                    log::warn!("both DATABASE_URL and DB_* are set: DATABASE_URL is used");
                }
                url
            }
            (None, Ok(Some(url))) => url,
            (None, Err(())) => return None,
            (None, Ok(None)) => {
                if environment.value("DATABASE_URL").is_none()
                    && environment.value("DATABASE_URL_FILE").is_none()
                {
                    problems.push("DATABASE_URL", REQUIRED);
                }
                return None;
            }
        };
        Some(Self { url, pool_size: pool_size? })
    }
}

/// The URL that the older system's variables amount to; `Ok(None)` when none is set. As there, host and port have the
/// defaults of libpq.
fn older_url(section: &mut Section<'_>) -> Result<Option<SecretString>, ()> {
    let (host, port) = (section.text("host"), section.number("port", 5432, 1, u16::MAX));
    let (name, user, password) = (section.text("name"), section.text("user"), section.secret("password"));
    if host.is_none() && name.is_none() && user.is_none() && matches!(password, Some(None)) {
        return Ok(None);
    }
    for (variable, value) in [("name", &name), ("user", &user)] {
        if value.is_none() {
            section.problem(variable, "required, since other DB_* variables are set (or set DATABASE_URL)");
        }
    }
    let mut url = Url::parse("postgres://localhost").map_err(drop)?;
    url.set_host(Some(host.as_deref().unwrap_or("localhost")))
        .map_err(|_| section.problem("host", "not a host name"))?;
    url.set_port(Some(port.ok_or(())?))?;
    // The URL encodes what it must, but takes a % for an encoding that is there already.
    let literal = |text: &str| text.replace('%', "%25");
    url.set_username(&literal(&user.ok_or(())?))?;
    url.set_password(password.ok_or(())?.map(|password| literal(password.expose_secret())).as_deref())?;
    url.set_path(&literal(&name.ok_or(())?));
    Ok(Some(String::from(url).into()))
}

/// Whether every `%` begins an encoded byte other than zero. libpq would repeat what it cannot decode, and with it a part
/// of the password.
fn is_percent_encoded(url: &str) -> bool {
    url.split('%').skip(1).all(|rest| {
        rest.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()).is_some_and(|byte| byte != 0)
    })
}
