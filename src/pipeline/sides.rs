//! A tuple's ends have no order of their own: who is client, whose segment it is, and what stage a connection is in.

use crate::flow::Stage;
use crate::packet::Dir;
use crate::packet::Endpoint;
use crate::packet::Tuple;
use crate::tcp::Connection;
use crate::tcp::Side;

/// How long it may be silent.
pub(super) fn stage_of(connection: &Connection) -> Stage {
    if connection.teardown.is_over() {
        Stage::Closed
    } else if connection.handshake.is_settled() || !connection.oriented {
        Stage::Open
    } else {
        Stage::Attempt
    }
}

/// Whose segment it is.
pub(super) fn side_of(dir: Dir, client_is_low: bool) -> Side {
    if (dir == Dir::LowToHigh) == client_is_low { Side::Client } else { Side::Server }
}

/// Client and server, or a and b.
pub(super) fn ends(tuple: &Tuple, first_is_low: bool) -> (Endpoint, Endpoint) {
    if first_is_low { (tuple.low, tuple.high) } else { (tuple.high, tuple.low) }
}
