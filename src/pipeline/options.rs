//! What an analysis may hold, and how much it says.

/// Caps of everything that traffic can fill.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// TCP connections held at once.
    pub connections: usize,
    /// UDP conversations held at once.
    pub exchanges: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connections: 1 << 18, exchanges: 1 << 18 }
    }
}

/// How much is said about each segment beside the facts.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Judging {
    /// Nothing: the connection's own findings suffice.
    #[default]
    Off,
    /// Rules that are broken, and causes.
    Broken,
    /// Also what holds, and what cannot be told.
    Everything,
}
