//! The caller's line, and which fields of a call tell it.

use super::{Call, Channel};

/// Which field tells the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The number that called, and the platform's variable.
    Reported,
    /// The same, with digits that were dialled after it.
    PostDial,
    /// The display name of an address that is anonymous itself.
    DisplayName,
    /// Headers of SIP alone.
    SipHeaders,
    /// A variable of the client's own.
    Custom,
    /// The platform's variable alone, as a JSON number with a point.
    Float,
    /// The recipient of messages.
    WhatsApp,
    /// None: the number was withheld, or there is none.
    Nowhere,
}

impl Call<'_> {
    /// Which field tells the line. One call in five has an unusual one, or is a call in which the line is said.
    pub(crate) fn source_of_line(&self) -> Source {
        match self.channel {
            Channel::WhatsApp if self.every(20, 19) => Source::WhatsApp,
            Channel::WhatsApp | Channel::Widget => Source::Nowhere,
            _ if !self.every(4, 2) => Source::Reported,
            _ => match self.number / 4 % 8 {
                2 if self.channel == Channel::Sip => Source::SipHeaders,
                2 | 6 => Source::Custom,
                3 => Source::DisplayName,
                4 => Source::PostDial,
                5 => Source::Float,
                7 => Source::Nowhere,
                _ => Source::Reported,
            },
        }
    }

    /// The caller's national number, ten digits, where a field tells it.
    pub(crate) fn line(&self) -> Option<String> {
        (self.source_of_line() != Source::Nowhere).then(|| self.caller.to_string())
    }

    /// The caller's number as the telephone network reported it; not every provider writes it alike.
    pub(crate) fn external_number(&self) -> String {
        let caller = self.caller;
        match (self.source_of_line(), self.number % 9) {
            (Source::Reported, 7) => format!("+521{caller}"),
            (Source::Reported, 8) => caller.to_string(),
            (Source::Reported, _) => format!("+52{caller}"),
            (Source::PostDial, 0..3) => format!("+52{caller},12"),
            (Source::PostDial, 3..6) => format!("+52{caller}#12"),
            (Source::PostDial, _) => format!("{caller}-101"),
            (Source::DisplayName, _) => format!("\"{caller}\" <sip:anonymous@anonymous.invalid>"),
            _ => "anonymous".to_owned(),
        }
    }

    /// Does the field that is usual tell the line, and nothing but the line?
    pub(crate) fn is_reported(&self) -> bool {
        self.source_of_line() == Source::Reported
    }
}
