//! When the call was: instants, and the day and time of day that the older system kept.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;
use shared::elevenlabs::Conversation;

use super::mask::Mask;

/// The columns of time. A start that is absent, zero (the older system's word for absent) or outside the calendar
/// leaves all but the duration empty; a duration that is absent, zero or negative leaves the end empty.
pub(super) struct Times {
    pub(super) fecha: Option<NaiveDate>,
    pub(super) hora_inicio: Option<NaiveTime>,
    pub(super) hora_fin: Option<NaiveTime>,
    pub(super) duracion: Option<String>,
    pub(super) inicio: Option<DateTime<Utc>>,
    pub(super) fin: Option<DateTime<Utc>>,
    pub(super) duracion_segundos: Option<i32>,
}

impl Times {
    pub(super) fn new(conversation: &Conversation, timezone: Tz, mask: &Mask) -> Self {
        let duracion_segundos = duration(conversation, mask);
        let positive = duracion_segundos.filter(|secs| *secs > 0);
        let inicio = conversation.started_at();
        let fin = positive.and_then(|secs| inicio?.checked_add_signed(TimeDelta::seconds(secs.into())));
        let local = |instant: DateTime<Utc>| instant.with_timezone(&timezone).naive_local();
        Self {
            fecha: inicio.map(|instant| local(instant).date()),
            hora_inicio: inicio.map(|instant| local(instant).time()),
            hora_fin: fin.map(|instant| local(instant).time()),
            duracion: positive.map(|secs| format!("{secs} seconds")),
            inicio,
            fin,
            duracion_segundos,
        }
    }
}

/// The duration, if it is one: not negative, within the column, and not the caller's number in its place.
fn duration(conversation: &Conversation, mask: &Mask) -> Option<i32> {
    let secs = i32::try_from(conversation.metadata.call_duration_secs?).ok()?;
    (secs >= 0 && !mask.hides_number(&secs.to_string())).then_some(secs)
}
