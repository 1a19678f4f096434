//! Single packets taken apart: every field in a table, or everything that counts in one line.

mod brief;
mod table;

pub use brief::brief;
pub use table::table;

#[cfg(test)]
mod tests;
