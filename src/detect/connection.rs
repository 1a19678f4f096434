//! (rules follow)
use crate::detect::Say;
use crate::flow::EndedConnection;

/// Judges.
pub fn judge(_ended: &EndedConnection<'_>, _say: Say<'_>) {}
