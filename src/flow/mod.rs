//! Which packet belongs to whom, and for how long.
//!
//! [`doorway::Doorway`] keeps attempts to open a connection, [`table::Table`] whole conversations, bounded in number. Both
//! let go by *trace* time: a file read in a second forgets like a link watched for a day. [`timeouts`] says when.

pub mod doorway;
pub mod ended;
pub mod keys;
pub mod list;
pub mod table;
pub mod timeouts;

pub use doorway::Doorway;
pub use ended::EndedConnection;
pub use ended::EndedExchange;
pub use keys::Keys;
pub use table::Lookup;
pub use table::Table;
pub use table::TableStats;
pub use timeouts::Leaves;
pub use timeouts::Stage;
