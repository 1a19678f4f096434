//! A list from oldest to newest whose links lie in the slots that it lists: constant time for every change, and no
//! memory of its own.
//!
//! Where a timeout is constant, slots in order of their last packet are also in order of expiry; where room is needed,
//! the oldest goes. Tables keep one such list per stage.

/// Index of no slot.
pub const NONE: u32 = u32::MAX;

/// A slot's neighbours in its list.
#[derive(Clone, Copy, Debug)]
pub struct Links {
    previous: u32,
    next: u32,
}

/// Slots that can be listed.
pub trait Linked {
    /// The neighbours of a slot.
    fn links(&mut self, slot: u32) -> &mut Links;
}

/// Both ends of a list.
#[derive(Clone, Copy, Debug)]
pub struct List {
    oldest: u32,
    newest: u32,
    len: usize,
}

impl Links {
    /// A slot in no list.
    pub const ALONE: Self = Self { previous: NONE, next: NONE };

    /// The next younger slot.
    pub const fn next(&self) -> Option<u32> {
        some(self.next)
    }
}

impl List {
    /// Nothing is listed.
    pub const EMPTY: Self = Self { oldest: NONE, newest: NONE, len: 0 };

    /// The oldest slot.
    pub const fn oldest(&self) -> Option<u32> {
        some(self.oldest)
    }

    /// Slots listed.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Nothing is listed.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Lists a slot that is in no list, as the newest.
    pub fn push<S: Linked + ?Sized>(&mut self, slots: &mut S, slot: u32) {
        *slots.links(slot) = Links { previous: self.newest, next: NONE };
        match self.newest {
            NONE => self.oldest = slot,
            newest => slots.links(newest).next = slot,
        }
        self.newest = slot;
        self.len += 1;
    }

    /// Takes a slot out of this list, in which it is.
    pub fn remove<S: Linked + ?Sized>(&mut self, slots: &mut S, slot: u32) {
        let Links { previous, next } = std::mem::replace(slots.links(slot), Links::ALONE);
        match previous {
            NONE => self.oldest = next,
            _ => slots.links(previous).next = next,
        }
        match next {
            NONE => self.newest = previous,
            _ => slots.links(next).previous = previous,
        }
        debug_assert!(self.len > 0, "what is taken out was in");
        self.len = self.len.saturating_sub(1);
    }
}

const fn some(slot: u32) -> Option<u32> {
    if slot == NONE { None } else { Some(slot) }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Linked for [Links] {
        fn links(&mut self, slot: u32) -> &mut Links {
            &mut self[slot as usize]
        }
    }

    fn in_order(list: &List, slots: &[Links]) -> Vec<u32> {
        std::iter::successors(list.oldest(), |&slot| slots[slot as usize].next()).collect()
    }

    #[test]
    fn slots_stand_in_order_of_arrival_whichever_leaves() {
        let mut slots = [Links::ALONE; 5];
        let mut list = List::EMPTY;
        for slot in [3, 0, 4, 1] {
            list.push(&mut slots[..], slot);
        }
        assert_eq!((in_order(&list, &slots), list.len()), (vec![3, 0, 4, 1], 4));
        list.remove(&mut slots[..], 4);
        list.remove(&mut slots[..], 3);
        list.push(&mut slots[..], 3);
        assert_eq!(in_order(&list, &slots), [0, 1, 3]);
        for slot in [0, 1, 3] {
            list.remove(&mut slots[..], slot);
        }
        assert!(list.is_empty() && list.oldest().is_none());
        list.push(&mut slots[..], 2);
        assert_eq!(in_order(&list, &slots), [2]);
    }
}
