//! What tests need to see of a message on its way: bytes that arrive, and the headers that leave.

use super::Message;

impl Message {
    /// Reads what arrives with properties of these bytes, as AMQP writes them; `None` when they are none.
    #[must_use]
    pub fn from_wire(body: Vec<u8>, properties: &[u8]) -> Option<Self> {
        let (_, properties) = lapin::protocol::basic::parse_properties(properties).ok()?;
        Some(Self::received(body, &properties))
    }

    /// What arrives of it after a way through the broker.
    #[must_use]
    pub fn travelled(&self) -> Self {
        Self::received(self.body().to_vec(), &self.properties())
    }

    /// The names of the headers that it is published with.
    #[must_use]
    pub fn header_names(&self) -> Vec<String> {
        let properties = self.properties();
        let headers = properties.headers().iter().flat_map(|headers| headers.inner().keys());
        headers.map(ToString::to_string).collect()
    }
}
