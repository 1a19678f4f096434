//! The ports that Zeek takes for a server's when a capture begins in the middle: those its default scripts register an
//! analyzer for, over TCP.

/// In order, for a binary search.
const LIKELY_SERVER: [u16; 49] = [
    21, 22, 25, 53, 79, 80, 81, 88, 135, 139, 143, 389, 443, 445, 465, 502, 514, 563, 585, 587, 614, 631, 636, 989,
    990, 992, 993, 995, 1080, 1434, 1883, 2811, 3128, 3268, 3306, 3389, 5222, 5223, 5269, 5432, 6379, 6666, 6667, 6668,
    6669, 8000, 8080, 8888, 20000,
];

/// The sender of a first segment is taken for the responder, going by its ports.
///
/// Never for a pure SYN. Where both ports are a server's, a SYN,ACK decides nothing (it may be a scan) and otherwise the
/// smaller port is the server's.
pub(super) fn flips(src_port: u16, dst_port: u16, has_syn: bool, has_ack: bool) -> bool {
    if has_syn && !has_ack || !is_likely_server(src_port) {
        return false;
    }
    !is_likely_server(dst_port) || !has_syn && src_port < dst_port
}

fn is_likely_server(port: u16) -> bool {
    LIKELY_SERVER.binary_search(&port).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_in_order() {
        assert!(LIKELY_SERVER.is_sorted());
    }

    #[test]
    fn a_pure_syn_from_a_server_port_is_still_an_opening() {
        assert!(!flips(80, 40_000, true, false));
        assert!(flips(80, 40_000, true, true));
        assert!(flips(80, 40_000, false, true));
        assert!(!flips(40_000, 80, false, true));
        assert!(!flips(40_000, 50_000, false, true));
    }

    #[test]
    fn between_two_server_ports_the_smaller_is_the_server_unless_it_sends_a_syn_ack() {
        assert!(flips(80, 8080, false, true));
        assert!(!flips(8080, 80, false, true));
        assert!(!flips(80, 8080, true, true));
    }
}
