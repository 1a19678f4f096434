//! From `HOST:PORT` to the addresses behind it, in the resolver's order.

use std::io;
use std::net::SocketAddr;
use std::net::ToSocketAddrs;

/// Addresses behind `HOST:PORT`: a name, an IPv4 address or an IPv6 address in brackets (RFC 3986 §3.2.2),
/// with or without a zone (`[fe80::1%eth0]:5656`, RFC 4007 §11.2).
///
/// # Errors
/// `InvalidInput` when the text is not `HOST:PORT`; the resolver's error when the name has no address.
pub fn resolve(text: &str) -> io::Result<Vec<SocketAddr>> {
    let (host, port) = text.rsplit_once(':').ok_or_else(|| not_an_address(text))?;
    let port: u16 = port.parse().map_err(|_| not_an_address(text))?;
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    if host.is_empty() || (bare.is_none() && host.contains(':')) {
        return Err(not_an_address(text));
    }
    let found: Vec<SocketAddr> = (bare.unwrap_or(host), port).to_socket_addrs()?.collect();
    if found.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, format!("{host} has no address")));
    }
    Ok(found)
}

fn not_an_address(text: &str) -> io::Error {
    let what = format!("`{text}` is not HOST:PORT, as in 127.0.0.1:5656, [::1]:5656 or localhost:5656");
    io::Error::new(io::ErrorKind::InvalidInput, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_families_resolve_without_a_name_server() {
        for text in ["127.0.0.1:80", "[::1]:80"] {
            let addr = text.parse().expect("a literal address parses");
            assert_eq!(resolve(text).expect("a literal address resolves"), [addr]);
        }
    }

    #[test]
    fn text_without_host_or_port_is_refused_with_an_example() {
        for text in ["", ":5656", "127.0.0.1", "127.0.0.1:http", "127.0.0.1:65536", "::1:80"] {
            let error = resolve(text).expect_err("no address");
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{text}");
            assert!(error.to_string().contains("HOST:PORT"), "{text}");
        }
    }
}
