//! The walk over options of IPv4 and of IPv6's extension headers: a kind, a length, so many octets.
//!
//! RFC 791 §3.1 counts kind and length in the length, and has two kinds of one octet: end of list and no-operation.
//! RFC 8200 §4.2 counts neither, and has one kind of one octet: Pad1. RFC 8754 §2.1 has the same for the list of a
//! segment routing header. A length that is impossible leaves nothing to step by: there the walk ends.

/// How a list tells where its elements end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Scheme {
    /// RFC 791 §3.1.
    V4,
    /// RFC 8200 §4.2.
    V6,
}

/// One element of a list.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Tlv<'a> {
    /// Where it begins, in octets of the list.
    pub(super) at: usize,
    /// Its first octet.
    pub(super) kind: u8,
    /// All of it, as far as the list reaches.
    pub(super) octets: &'a [u8],
    /// How it ends.
    pub(super) form: Form<'a>,
}

/// How an element ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Form<'a> {
    /// It is one octet.
    Single,
    /// These octets follow kind and length.
    Sized(&'a [u8]),
    /// Its length is impossible, or not there.
    Impossible(Option<u8>),
}

/// Steps through a list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tlvs<'a> {
    list: &'a [u8],
    scheme: Scheme,
    at: usize,
    over: bool,
}

impl<'a> Tlvs<'a> {
    pub(super) const fn of(list: &'a [u8], scheme: Scheme) -> Self {
        Self { list, scheme, at: 0, over: false }
    }

    /// The octets that the walk has not reached: behind an end of list they are padding.
    pub(super) fn rest(&self) -> &'a [u8] {
        &self.list[self.at..]
    }
}

impl<'a> Iterator for Tlvs<'a> {
    type Item = Tlv<'a>;

    fn next(&mut self) -> Option<Tlv<'a>> {
        if self.over {
            return None;
        }
        let (at, rest) = (self.at, self.rest());
        let &kind = rest.first()?;
        let is_v4 = self.scheme == Scheme::V4;
        let fixed = if is_v4 { 0 } else { 2 };
        let (form, len) = match (kind, rest.get(1)) {
            (0, _) => (Form::Single, 1),
            (1, _) if is_v4 => (Form::Single, 1),
            (_, None) => (Form::Impossible(None), 1),
            (_, Some(&len)) => match rest.get(2..usize::from(len) + fixed) {
                Some(data) => (Form::Sized(data), data.len() + 2),
                None => (Form::Impossible(Some(len)), rest.len()),
            },
        };
        self.over = matches!(form, Form::Impossible(_)) || kind == 0 && is_v4;
        self.at += len;
        Some(Tlv { at, kind, octets: &rest[..len], form })
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn walked(list: &[u8], scheme: Scheme) -> Vec<(u8, Form<'_>)> {
        Tlvs::of(list, scheme).map(|tlv| (tlv.kind, tlv.form)).collect()
    }

    #[test]
    fn a_length_counts_kind_and_length_in_ipv4_and_neither_in_ipv6() {
        let list = [1, 148, 4, 0, 0, 0, 9];
        assert_eq!(
            walked(&list, Scheme::V4),
            [(1, Form::Single), (148, Form::Sized(&[0, 0])), (0, Form::Single)],
            "behind the end of list nothing is read"
        );
        let list = [0, 1, 1, 0, 5, 2, 0, 0];
        assert_eq!(walked(&list, Scheme::V6), [(0, Form::Single), (1, Form::Sized(&[0])), (5, Form::Sized(&[0, 0]))]);
    }

    #[test]
    fn an_impossible_length_ends_the_walk() {
        for list in [&[7, 0, 4][..], &[7, 1, 4], &[7, 4, 4]] {
            assert_eq!(walked(list, Scheme::V4), [(7, Form::Impossible(Some(list[1])))]);
        }
        assert_eq!(walked(&[7], Scheme::V4), [(7, Form::Impossible(None))]);
        assert_eq!(walked(&[5, 3, 0, 0], Scheme::V6), [(5, Form::Impossible(Some(3)))]);
    }

    proptest! {
        #[test]
        fn the_elements_of_any_octets_are_those_octets(list in vec(any::<u8>(), 0..60), is_v4 in any::<bool>()) {
            let mut walk = Tlvs::of(&list, if is_v4 { Scheme::V4 } else { Scheme::V6 });
            let mut met: Vec<u8> = Vec::new();
            for tlv in walk.by_ref() {
                prop_assert_eq!(tlv.at, met.len());
                met.extend(tlv.octets);
            }
            met.extend(walk.rest());
            prop_assert_eq!(met, list);
        }
    }
}
