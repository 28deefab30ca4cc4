//! The folder `migrations/`, inside the binary.

use diesel_migrations::{EmbeddedMigrations, embed_migrations};

/// All of them.
pub(crate) const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../migrations");
