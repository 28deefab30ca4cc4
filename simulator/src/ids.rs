//! Identifiers as the API writes them: a prefix and 28 lower-case base32-like characters.
//!
//! The first 13 characters carry the 64-bit key, so an id leads back to its conversation without a table of texts.

use crate::dice;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Four bits and twelve times five: as many characters as 64 bits need.
const KEY_CHARACTERS: u32 = 13;
const CHARACTERS: u32 = 28;

/// The id of `key`, such as `conv_7401k5m9x2p8ec3rqv6dtnhb0fzw`.
pub(crate) fn write(prefix: &str, key: u64) -> String {
    let tail = dice::draw(key, "id", 0);
    let mut id = String::with_capacity(prefix.len() + CHARACTERS as usize);
    id.push_str(prefix);
    for position in 0..CHARACTERS {
        let bits = if position < KEY_CHARACTERS {
            key >> (5 * (KEY_CHARACTERS - 1 - position))
        } else {
            tail.rotate_left(5 * (position - KEY_CHARACTERS))
        };
        id.push(char::from(ALPHABET[(bits & 31) as usize]));
    }
    id
}

/// The key of an id that [`write()`] made; `None` for any other text.
pub(crate) fn read(prefix: &str, id: &str) -> Option<u64> {
    let characters = id.strip_prefix(prefix)?.as_bytes().get(..KEY_CHARACTERS as usize)?;
    let mut key = 0_u64;
    for character in characters {
        let value = ALPHABET.iter().position(|candidate| candidate == character)?;
        key = (key << 5) | value as u64;
    }
    (write(prefix, key) == id).then_some(key)
}

/// An id of the older form: 20 letters and digits without a prefix.
pub(crate) fn write_old(key: u64) -> String {
    const OLD: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    (0..20)
        .map(|position| {
            let draw = dice::draw(key, "old id", position);
            char::from(OLD[usize::try_from(draw % OLD.len() as u64).expect("a remainder of 62 fits")])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_leads_back_to_its_key() {
        for number in 0..1000 {
            let key = dice::draw(7, "conversation", number);
            let id = write("conv_", key);
            assert_eq!(id.len(), 33);
            assert_eq!(read("conv_", &id), Some(key), "{id}");
        }
        assert_eq!(read("conv_", "conv_unknown"), None);
        assert_eq!(read("conv_", "conv_0000000000000000000000000000"), None);
        assert_eq!(read("conv_", "conv_ñ00000000000000000000000000"), None);
    }
}
