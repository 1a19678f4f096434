//! (to be written)

pub mod dialect;
