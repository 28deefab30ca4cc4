//! The API key: where it comes from, and that nobody prints it.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

/// Why a text or a file gives no key. The text itself is never repeated.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Nothing is left once the surrounding white space is gone.
    #[error("the key is empty")]
    Empty,
    /// It could not stand in an HTTP header.
    #[error("the key has characters that no HTTP header can carry")]
    InvalidKey,
    /// The file it should come from cannot be read.
    #[error("the key's file cannot be read")]
    Unreadable(#[source] io::Error),
}

/// The secret that opens the API, with the file it came from, if any, so that a rotated one can be read again.
#[derive(Clone)]
pub struct ApiKey {
    secret: SecretString,
    header_value: HeaderValue,
    file: Option<PathBuf>,
}

impl ApiKey {
    /// Takes a key, without the white space around it.
    ///
    /// # Errors
    /// [`KeyError::Empty`], or [`KeyError::InvalidKey`] when it could not be sent.
    pub fn new(text: impl Into<SecretString>) -> Result<Self, KeyError> {
        let text = text.into();
        let trimmed = text.expose_secret().trim();
        if trimmed.is_empty() {
            return Err(KeyError::Empty);
        }
        if !trimmed.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(KeyError::InvalidKey);
        }
        let mut header_value = HeaderValue::from_str(trimmed).map_err(|_| KeyError::InvalidKey)?;
        header_value.set_sensitive(true);
        Ok(Self { secret: trimmed.into(), header_value, file: None })
    }

    /// Reads a key from its file, as Docker and Kubernetes hand out secrets.
    ///
    /// # Errors
    /// [`KeyError`] when the file cannot be read or holds no key.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, KeyError> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(KeyError::Unreadable)?;
        Ok(Self { file: Some(path.to_path_buf()), ..Self::new(text)? })
    }

    /// Reads the key again from the file it came from; `None` when it came from none, or is still the same.
    pub(super) fn rotated(&self) -> Result<Option<Self>, KeyError> {
        let Some(file) = &self.file else { return Ok(None) };
        let fresh = Self::from_file(file)?;
        let same = fresh.secret.expose_secret() == self.secret.expose_secret();
        Ok((!same).then_some(fresh))
    }

    /// The header value, marked so that no library prints it.
    pub(super) fn header_value(&self) -> HeaderValue {
        self.header_value.clone()
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ApiKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_loses_the_white_space_around_it_and_is_never_printed() {
        let key = ApiKey::new(" sk_4f9c\r\n").expect("a key");
        let value = key.header_value();
        assert_eq!(value.as_bytes(), b"sk_4f9c");
        assert!(value.is_sensitive());
        assert!(!format!("{key:?} {value:?}").contains("4f9c"));
    }

    #[test]
    fn what_no_header_can_carry_is_no_key() {
        for text in ["", " \n", "sk_a\nb", "sk_ñ", "sk a", "sk\u{0}"] {
            let error = ApiKey::new(text).expect_err("no key");
            assert!(matches!(error, KeyError::Empty | KeyError::InvalidKey), "{text:?}");
        }
    }

    #[test]
    fn a_rotated_key_is_read_from_its_file() {
        let path = std::env::temp_dir().join(format!("api-key-{}", std::process::id()));
        std::fs::write(&path, "first\n").expect("a file");
        let key = ApiKey::from_file(&path).expect("a key");
        assert!(key.rotated().expect("readable").is_none());
        std::fs::write(&path, "second\n").expect("a file");
        let fresh = key.rotated().expect("readable").expect("another key");
        assert_eq!(fresh.header_value().as_bytes(), b"second");
        std::fs::remove_file(&path).expect("removed");
        assert!(matches!(fresh.rotated(), Err(KeyError::Unreadable(_))));
    }
}
