//! Which packet belongs to whom, and for how long.
//!
//! [`table::Table`] keeps conversations by 5-tuple, bounded in number, and lets them go by *trace* time: a file read
//! in a second forgets like a link watched for a day. [`timeouts`] says when.

pub mod ended;
pub mod list;
pub mod table;
pub mod timeouts;

pub use ended::EndedConnection;
pub use ended::EndedExchange;
pub use table::Lookup;
pub use table::Table;
pub use table::TableStats;
pub use timeouts::Leaves;
pub use timeouts::Stage;
