//! Single packets taken apart: every field on a page, or everything that counts in one line.

mod brief;
mod brief_ip;
mod hex;
mod notes;
mod page;
mod ruler;
mod sums;
mod table;

pub use brief::brief;
pub use notes::notes;
pub use page::Layout;
pub use page::page;

#[cfg(test)]
mod tests;
