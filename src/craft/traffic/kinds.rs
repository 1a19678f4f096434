//! What may happen in a scene, by name, and what a capture may hold of it.

pub use crate::craft::traffic::plan::Captured;
pub use crate::craft::traffic::plan::Plan;
pub use crate::craft::traffic::plan::Truth;

/// What happens.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Kind {
    /// Forged sources, one tool.
    Spoofed,
    /// Forged sources that look like operating systems.
    Dressed,
    /// One address of which half the SYNs come from hosts that reset.
    HalfReset,
    /// One source that never acknowledges.
    Single,
    /// One source whose system resets every answer.
    SingleReset,
    /// A pool of real hosts, each again and again.
    Bots,
    /// Pulses of 1.5 s with pauses of 8 s.
    Pulses,
    /// A few SYNs for each host of a prefix.
    Carpet,
    /// Forged sources over many ports, nearly all closed.
    Ports,
    /// Forged sources over hosts and ports.
    Everything,
    /// Any address of one /64 (IPv6).
    Subnet,
    /// Every SYN sent twice.
    Resent,
    /// Every answer acknowledged with a wrong number.
    ForgedAck,
    /// Few real hosts that hold connections half-open.
    Holding,
    /// One source tries port after port.
    ScanPorts,
    /// One source tries host after host.
    ScanHosts,
    /// Nothing in particular.
    Steady,
    /// A crowd.
    Crowd,
    /// A crowd that the server cannot keep up with.
    Overload,
    /// The server's process is down, and its clients insist.
    Refusing,
    /// The server restarts, and everybody comes back.
    Restart,
    /// Silence for a while.
    Outage,
    /// A host that never answers, and clients that insist.
    DeadHost,
    /// Health checks of a load balancer, over many hosts.
    Probes,
    /// One client that opens and closes.
    Heavy,
    /// Monitoring of hosts a third of which are dead, a third closed.
    Monitoring,
    /// Answers of the server are lost behind the capture.
    WayBack,
    /// Long ways.
    LongWays,
}

impl Kind {
    /// Every kind with its name.
    pub const NAMED: [(Self, &'static str); 28] = [
        (Self::Spoofed, "spoofed"),
        (Self::Dressed, "dressed"),
        (Self::HalfReset, "half-reset"),
        (Self::Single, "single"),
        (Self::SingleReset, "single-reset"),
        (Self::Bots, "bots"),
        (Self::Pulses, "pulses"),
        (Self::Carpet, "carpet"),
        (Self::Ports, "ports"),
        (Self::Everything, "everything"),
        (Self::Subnet, "subnet"),
        (Self::Resent, "resent"),
        (Self::ForgedAck, "forged-ack"),
        (Self::Holding, "holding"),
        (Self::ScanPorts, "scan-ports"),
        (Self::ScanHosts, "scan-hosts"),
        (Self::Steady, "steady"),
        (Self::Crowd, "crowd"),
        (Self::Overload, "overload"),
        (Self::Refusing, "refusing"),
        (Self::Restart, "restart"),
        (Self::Outage, "outage"),
        (Self::DeadHost, "dead-host"),
        (Self::Probes, "probes"),
        (Self::Heavy, "heavy"),
        (Self::Monitoring, "monitoring"),
        (Self::WayBack, "way-back"),
        (Self::LongWays, "long-ways"),
    ];

    /// The kind of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMED.iter().find(|(_, known)| *known == name).map(|(kind, _)| *kind)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::NAMED.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }

    /// SYNs per second that it usually has.
    pub const fn usual_rate(self) -> f64 {
        match self {
            Self::Spoofed | Self::Carpet => 800.0,
            Self::Dressed | Self::HalfReset | Self::Bots | Self::Ports | Self::Everything | Self::Subnet => 500.0,
            Self::Single | Self::SingleReset | Self::Pulses | Self::Resent | Self::ForgedAck => 500.0,
            Self::Holding => 25.0,
            Self::ScanPorts | Self::ScanHosts => 50.0,
            Self::Steady | Self::DeadHost | Self::Monitoring => 60.0,
            Self::Crowd => 800.0,
            Self::Overload | Self::Refusing | Self::Restart | Self::Outage => 200.0,
            Self::Probes | Self::WayBack | Self::LongWays => 80.0,
            Self::Heavy => 300.0,
        }
    }
}

/// Which part of what passes the capture holds.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum View {
    /// All of it.
    #[default]
    Both,
    /// What goes to the server's network.
    Inbound,
    /// What comes from it.
    Outbound,
    /// SYNs without ACK.
    Syns,
    /// Segments with SYN, FIN or RST.
    Control,
}
