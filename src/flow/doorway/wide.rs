//! Pairs of IPv6 addresses beside the entries, which have room for those of IPv4 only.

use crate::flow::doorway::address::Address;

/// Places of no address.
const NONE: u32 = u32::MAX;

/// Pairs by place; a place that is free holds the next free one.
#[derive(Debug)]
pub(super) struct Wide {
    places: Vec<[Address; 2]>,
    free: u32,
}

impl Default for Wide {
    fn default() -> Self {
        Self { places: Vec::new(), free: NONE }
    }
}

impl Wide {
    pub(super) fn put(&mut self, addresses: [Address; 2]) -> u32 {
        if self.free == NONE {
            self.places.push(addresses);
            return (self.places.len() - 1) as u32;
        }
        let place = self.free;
        let slot = &mut self.places[place as usize];
        self.free = slot[0].low as u32;
        *slot = addresses;
        place
    }

    pub(super) fn get(&self, place: u32) -> [Address; 2] {
        self.places[place as usize]
    }

    pub(super) fn take(&mut self, place: u32) -> [Address; 2] {
        let free = [Address { high: 0, low: self.free.into() }; 2];
        self.free = place;
        std::mem::replace(&mut self.places[place as usize], free)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_used_again() {
        let address = |low| [Address { high: 1, low }, Address { high: 2, low }];
        let mut wide = Wide::default();
        let places: Vec<u32> = (0..3).map(|low| wide.put(address(low))).collect();
        assert_eq!(wide.take(places[1]), address(1));
        assert_eq!(wide.take(places[0]), address(0));
        assert_eq!((wide.put(address(7)), wide.put(address(8)), wide.put(address(9))), (0, 1, 3));
        assert_eq!((wide.get(0), wide.get(1), wide.get(2)), (address(7), address(8), address(2)));
    }
}
