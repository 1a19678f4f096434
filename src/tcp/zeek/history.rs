//! The string of letters that tells a connection's story in conn.log.
//!
//! Upper case is the originator. S, H, F, R stand again where their number differs from the last one's; D, A, I, Q stand
//! once; C, G, T, W stand at the 1st, 10th, 100th … event.

/// Letters kept. Only SYNs, FINs and RSTs with ever new numbers make more, and then the story is not told.
pub(super) const MAX_LETTERS: usize = 255;

/// The letters so far.
#[derive(Clone, Debug, Default)]
pub(super) struct History {
    letters: String,
    overflowed: bool,
}

impl History {
    /// Adds a letter in the case of its sender.
    pub(super) fn add(&mut self, letter: char, by_originator: bool) {
        if self.letters.len() >= MAX_LETTERS {
            self.overflowed = true;
            return;
        }
        self.letters.push(if by_originator { letter } else { letter.to_ascii_lowercase() });
    }

    /// The roles were swapped.
    pub(super) fn flip(&mut self) {
        self.add('^', true);
    }

    /// Only a SYN,ACK of the originator so far.
    pub(super) fn is_lone_syn_ack(&self) -> bool {
        self.letters == "H"
    }

    /// The lone SYN,ACK turns out to be the responder's.
    pub(super) fn flip_lone_syn_ack(&mut self) {
        self.letters.clear();
        self.letters.push_str("^h");
    }

    /// All letters, if they are all there.
    pub(super) fn told(&self) -> Option<&str> {
        (!self.overflowed).then_some(self.letters.as_str())
    }

    /// The letters that fitted.
    pub(super) fn so_far(&self) -> &str {
        &self.letters
    }
}

/// Counts events of which the 1st, 10th, 100th … is worth a letter.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rare {
    count: u32,
    next: u32,
}

impl Default for Rare {
    fn default() -> Self {
        Self { count: 0, next: 1 }
    }
}

impl Rare {
    /// One more; true where it is worth a letter.
    pub(super) fn happens(&mut self) -> bool {
        self.count = self.count.saturating_add(1);
        let due = self.count == self.next;
        if due {
            self.next = self.next.saturating_mul(10);
        }
        due
    }
}

/// Letters that stand once per endpoint.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Once(u8);

impl Once {
    pub(super) const SYN: u8 = 1;
    pub(super) const FIN: u8 = 2;
    pub(super) const RST: u8 = 4;
    pub(super) const FIN_RST: u8 = 8;
    pub(super) const MANY: u8 = 16;
    pub(super) const DATA: u8 = 32;
    pub(super) const ACK: u8 = 64;

    /// Takes the place of a letter; false where it was taken.
    pub(super) const fn take(&mut self, letter: u8) -> bool {
        let free = self.0 & letter == 0;
        self.0 |= letter;
        free
    }
}
