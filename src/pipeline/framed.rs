//! Looks, where it was asked for, for messages in the streams of chosen connections.

use std::sync::Arc;

use crate::packet::TcpHeader;
use crate::packet::Tuple;
use crate::pipeline::analyzer::Analyzer;
use crate::pipeline::options::Framed;
use crate::tcp::Mark;
use crate::tcp::Side;
use crate::tcp::framing::Messages;
use crate::tcp::framing::Told;

/// Connections whose messages are looked for at once; beyond this, new ones go without until one has left.
pub const MAX_FRAMED: usize = 1024;

/// Which connections, and what the latest segment told.
#[derive(Debug)]
pub(super) struct Finder {
    framed: Framed,
    /// One more reference than there are connections with messages.
    places: Arc<()>,
    told: Vec<(Side, Told)>,
    /// Connections that found all places taken.
    pub(super) without: u64,
}

/// The messages of a connection, and its place among those that may have some.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) messages: Messages,
    _place: Arc<()>,
}

/// Attempts that are whole connections while messages are looked for.
pub const FRAMED_ATTEMPTS: usize = 1 << 16;

impl Analyzer {
    /// The same analysis, asking which datagrams a reader would cut that takes `size` octets with one read.
    #[must_use]
    pub fn reading(mut self, size: Option<u32>) -> Self {
        self.read_size = size;
        self
    }

    /// The same analysis, looking for messages in the octets of some connections. Each of them, [`MAX_FRAMED`] at once
    /// at most, costs a box of about 1 KB, and per direction what
    /// [`reassembly`](crate::tcp::reassembly) may hold: 80 KB. Attempts that wait stay whole connections up to
    /// [`FRAMED_ATTEMPTS`]: one that is let go and brought back has lost its messages.
    #[must_use]
    pub fn finding_messages(mut self, framed: Option<Framed>) -> Self {
        if framed.is_some() {
            self.tcp = self.tcp.with_attempts(FRAMED_ATTEMPTS);
        }
        self.finder = framed.map(Finder::new);
        self
    }

    /// Connections in which no messages were looked for because [`MAX_FRAMED`] others had some.
    pub fn without_messages(&self) -> u64 {
        self.finder.as_ref().map_or(0, |finder| finder.without)
    }
}

impl Finder {
    pub(super) fn new(framed: Framed) -> Self {
        Self { framed, places: Arc::new(()), told: Vec::new(), without: 0 }
    }

    /// Feeds one segment of a connection to its messages, which begin with its first segment.
    pub(super) fn find(
        &mut self,
        kept: &mut Option<Box<Kept>>,
        (stream, tuple, is_first): (u64, &Tuple, bool),
        mark: Mark,
        side: Side,
        header: &TcpHeader<'_>,
    ) {
        self.told.clear();
        if is_first && self.framed.wants(stream, tuple) {
            if Arc::strong_count(&self.places) > MAX_FRAMED {
                self.without += 1;
            } else {
                let messages = Messages::new(self.framed.framing);
                *kept = Some(Box::new(Kept { messages, _place: Arc::clone(&self.places) }));
            }
        }
        if let Some(kept) = kept {
            kept.messages.observe(mark, side, header, &mut self.told);
        }
    }

    /// Nothing was told by the latest segment.
    pub(super) fn pass(&mut self) {
        self.told.clear();
    }

    pub(super) fn told(&self) -> &[(Side, Told)] {
        &self.told
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::craft;
    use crate::decode::decode;
    use crate::finding::Finding;
    use crate::flow::EndedConnection;
    use crate::flow::EndedExchange;
    use crate::pipeline::Sink;
    use crate::tcp::framing::Framing;

    #[derive(Default)]
    struct Counts {
        with: usize,
        without: usize,
    }

    impl Sink for Counts {
        fn connection(&mut self, ended: &EndedConnection<'_>) {
            let counter = if ended.messages.is_some() { &mut self.with } else { &mut self.without };
            *counter += 1;
        }
        fn exchange(&mut self, _: &EndedExchange<'_>) {}
        fn finding(&mut self, _: Finding) {}
    }

    /// Connections from `clients` ports, one packet each, and how many of them had messages.
    fn run(clients: usize, framed: Framed) -> (Counts, u64) {
        let mut script = String::new();
        for n in 0..clients {
            script.push_str(&format!("C = 10.0.0.1:{}\n+0 C > S S 1000:1000(0)\n", 10_000 + n));
        }
        let trace = craft::play(&script).expect("a script that reads");
        let (mut analyzer, mut counts) = (Analyzer::default().finding_messages(Some(framed)), Counts::default());
        for frame in trace.frames() {
            analyzer.observe(&decode(&frame), &mut counts);
        }
        let without = analyzer.without_messages();
        analyzer.finish(&mut counts);
        (counts, without)
    }

    const ALL: Framed = Framed { framing: Framing::Line, streams: Vec::new(), port: None, host: None };

    #[test]
    fn connections_beyond_the_cap_go_without_messages_and_are_counted() {
        let (counts, without) = run(MAX_FRAMED + 3, ALL);
        assert_eq!((counts.with, counts.without, without), (MAX_FRAMED, 3, 3));
        let (counts, without) = run(MAX_FRAMED, ALL);
        assert_eq!((counts.with, without), (MAX_FRAMED, 0));
    }

    #[test]
    fn only_chosen_connections_are_searched() {
        assert_eq!(run(3, Framed { port: Some(10_001), ..ALL }).0.with, 1);
        assert_eq!(run(3, Framed { streams: vec![2], ..ALL }).0.with, 1);
        assert_eq!(run(3, Framed { port: Some(9), ..ALL }).0.with, 0);
    }

    #[test]
    fn the_box_of_a_connection_is_as_large_as_the_documentation_says() {
        assert_eq!(size_of::<Kept>(), 928);
    }
}
