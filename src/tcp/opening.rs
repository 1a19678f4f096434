//! What became of Fast Open in an opening (RFC 7413 §4.1).

/// What became of Fast Open (RFC 7413 §4.1).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum FastOpen {
    /// The client asked for a cookie.
    CookieAsked,
    /// The server gave one.
    CookieGiven,
    /// The SYN carried a cookie or data, and no answer is known.
    Offered,
    /// The SYN,ACK acknowledges data of the SYN.
    Accepted,
    /// It acknowledges the SYN alone, so the data goes again.
    Ignored,
}

impl FastOpen {
    /// Stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CookieAsked => "cookie-asked",
            Self::CookieGiven => "cookie-given",
            Self::Offered => "offered",
            Self::Accepted => "accepted",
            Self::Ignored => "ignored",
        }
    }
}
