//! Charts, as SVG.

use std::path::Path;

use crate::report::Report;

/// Draws those that the report has the figures for.
pub(crate) fn draw(_report: &Report, _folder: &Path) -> anyhow::Result<()> {
    Ok(())
}
