//! A JSON adder over TCP and UDP: the small, honest service whose traffic the rest of this crate explains.
//!
//! It stands apart: nothing here knows about packets or captures, and only the programs know about it.
//! What goes over the wire is what a Go program with `encoding/json` would send and accept
//! ([`protocol`] has the rules): `{"A":7,"B":4}` is answered with `{"Sum":11}`.
//!
//! | room | purpose |
//! |---|---|
//! | [`framer`] | a stream or datagram into JSON values, without a socket |
//! | [`protocol`] | values into requests and answers |
//! | [`server`] | answers them: thread per client, polled sockets, or epoll |
//! | [`client`] | asks over one long connection and checks every sum |

pub mod client;
pub mod framer;
pub mod protocol;
pub mod server;

mod address;
mod scan;

pub use address::resolve;

/// Where the server listens and the client calls when nothing else was said.
pub const DEFAULT_ADDR: &str = "127.0.0.1:5656";
