//! What came in another form than is documented: names of fields and counts, never a value.

use std::collections::BTreeMap;

/// How often each field was odd. The names are this release's own, so nothing of a body is in them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Oddities(BTreeMap<String, u32>);

impl Oddities {
    /// Counts a field, named by its path: `metadata.call_duration_secs`.
    pub(super) fn note(&mut self, field: &str) {
        match self.0.get_mut(field) {
            Some(count) => *count = count.saturating_add(1),
            None => _ = self.0.insert(field.to_owned(), 1),
        }
    }

    /// The fields by name, with how often each was odd.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u32)> {
        self.0.iter().map(|(field, count)| (field.as_str(), *count))
    }

    /// Whether all was as it is documented.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
