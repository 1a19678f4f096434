//! Ctrl-C and `kill`: the first asks for a decent end, the second does not wait for it.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use signal_hook::consts::SIGINT;
use signal_hook::consts::SIGTERM;
use signal_hook::flag;

use crate::cli::failure::Failure;

/// Somebody wants us to end.
#[derive(Clone, Debug, Default)]
pub(super) struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Watches for SIGINT and SIGTERM from now on.
    pub(super) fn on_signals() -> Result<Self, Failure> {
        let stop = Self::default();
        for signal in [SIGINT, SIGTERM] {
            // In this order: the shutdown sees the flag as it was before this signal set it.
            flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&stop.0)).map_err(Failure::Signals)?;
            flag::register(signal, Arc::clone(&stop.0)).map_err(Failure::Signals)?;
        }
        Ok(stop)
    }

    pub(super) fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
