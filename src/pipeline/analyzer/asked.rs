//! What an analysis is asked for beside following conversations, before its first packet.

use crate::detect::Detectors;
use crate::detect::syn_flood::Thresholds;
use crate::pipeline::analyzer::Analyzer;
use crate::pipeline::books::Books;
use crate::pipeline::options::Judging;
use crate::tcp::life::Course;

impl Analyzer {
    /// The same analysis, judging each segment.
    #[must_use]
    pub fn judging(mut self, judging: Judging) -> Self {
        self.judging = judging;
        self.court.blind.judged = judging != Judging::Off;
        self
    }

    /// The same analysis, keeping what other observers would have written down about each connection. It costs a box
    /// of about 1½ KB per connection, and as many more as lie between what was sent and what was acknowledged.
    ///
    /// They all read files through libpcap, which believes no frame to be longer than the file's `snaplen`.
    #[must_use]
    pub fn keeping_ledger(mut self, snaplen: Option<u32>) -> Self {
        self.books = Some(Books::new(snaplen));
        self
    }

    /// The same analysis, keeping the course of each connection. It wants judging, and costs a box per connection.
    #[must_use]
    pub fn keeping_life(mut self, course: Course) -> Self {
        self.life = Some(course);
        self
    }

    /// The same analysis, with these thresholds for floods and scans; how many attempts may wait is among them.
    #[must_use]
    pub fn with_thresholds(mut self, thresholds: Thresholds) -> Self {
        self.court.detectors = Detectors::new(thresholds);
        self
    }

    /// The same analysis, forgetting no TCP connection for its silence as long as there is room to spare, so that
    /// streams stay whole: for captures that are read, not watched. A few more are held, a few less are cut in two.
    #[must_use]
    pub fn patient(mut self) -> Self {
        self.tcp = self.tcp.patient();
        self
    }
}
