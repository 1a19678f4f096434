//! One entry per stable code: title, meaning, RFC section. The documentation is made from it.

use std::fmt;

use crate::finding::Severity;

macro_rules! catalog {
    ($($name:ident = $code:literal, $severity:ident, $rfc:literal, $title:literal, $meaning:literal;)*) => {
        /// A stable, kebab-case name for one kind of finding. Its text may change, the code may not.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum Code { $(#[doc = $title] $name,)* }

        impl Code {
            /// Every code there is, in the catalogue's order.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// How much it usually matters.
            pub const fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity,)* }
            }

            /// Where the rule stands.
            pub const fn rfc(self) -> &'static str {
                match self { $(Self::$name => $rfc,)* }
            }

            /// A headline.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }

            /// What it means and what to do about it.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning,)* }
            }
        }
    };
}

catalog! {
    Refused = "refused", Error, "RFC 9293 §3.10.7.1",
        "Connection refused",
        "The host answered the SYN with RST+ACK: it is up, and nobody listens on that port.";
    Unreachable = "unreachable", Error, "RFC 792; RFC 4443 §3.1",
        "Destination unreachable",
        "A router or the host said by ICMP that the packet cannot be delivered. The quoted header names the connection.";
    NoAnswer = "no-answer", Error, "RFC 9293 §3.5",
        "SYN without any answer",
        "Nothing came back: the host is down, the packet or its answer is filtered, or the accept queue is full.";
    HalfOpen = "half-open", Warning, "RFC 9293 §3.5.1",
        "Handshake never completed",
        "SYN and SYN,ACK were seen, the client's acknowledgment of K+1 was not.";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn codes_are_kebab_case_and_each_stands_once() {
        let mut seen = HashSet::new();
        for &code in Code::ALL {
            let name = code.as_str();
            assert!(seen.insert(name), "{name} stands twice");
            assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'), "{name}");
            assert!(!code.title().is_empty() && !code.meaning().is_empty() && !code.rfc().is_empty(), "{name}");
        }
    }
}
