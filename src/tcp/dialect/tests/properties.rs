//! What holds for any traffic.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// One data or control segment after a handshake: direction, gap, flags, how far from the side's start, length, how
/// far into the other side the ACK reaches, window.
type Step = (bool, u32, u8, u32, u32, u32, u16);

fn step() -> impl Strategy<Value = Step> {
    let edge = prop_oneof![Just(0), Just(99), Just(100), Just(101), Just(200), 0u32..500];
    let reach = prop_oneof![Just(0), Just(100), Just(200), Just(300), 0u32..600];
    let len = prop_oneof![Just(0), Just(1), Just(100), 0u32..300];
    let window = prop_oneof![Just(0), Just(100), Just(1000)];
    (any::<bool>(), 0u32..40, 0u8..12, edge, len, reach, window)
}

/// The steps as a script, the client's numbers moved by `client`, the server's by `server`; the script's numbers too.
fn script(steps: &[Step], client: u32, server: u32) -> (String, Vec<u32>) {
    let c = |offset: u32| client.wrapping_add(101).wrapping_add(offset);
    let s = |offset: u32| server.wrapping_add(901).wrapping_add(offset);
    // Both sides have acknowledged something: before, Wireshark's latest acknowledgment is 0, a number like any other.
    let (syn, syn_ack) = (c(0).wrapping_sub(1), s(0).wrapping_sub(1));
    let mut text = format!("0> S {syn}\n10< SA {syn_ack} {}\n10> A {} {}\n", c(0), c(0), s(0));
    let mut numbers = vec![c(0), c(0).wrapping_sub(1), s(0), s(0).wrapping_sub(1)];
    for &(from_client, gap, flags, offset, len, reach, window) in steps {
        let (arrow, seq, ack) = if from_client { (">", c(offset), s(reach)) } else { ("<", s(offset), c(reach)) };
        let flags = match flags {
            0 => "FA",
            1 => "RA",
            2..5 => "PA",
            _ => "A",
        };
        text += &format!("{gap}{arrow} {flags} {seq} {ack} {len} w{window}\n");
        numbers.extend([seq, ack, seq.wrapping_add(len), seq.wrapping_add(len + 1)]);
    }
    (text, numbers)
}

proptest! {
    #[test]
    fn shifting_all_numbers_of_a_side_changes_nothing_but_the_raw_ones(
        steps in vec(step(), 0..40),
        client in prop_oneof![any::<u32>(), u32::MAX - 700..=u32::MAX],
        server in prop_oneof![any::<u32>(), u32::MAX - 1600..=u32::MAX],
    ) {
        let (plain, _) = script(&steps, 0, 0);
        let (moved, numbers) = script(&steps, client, server);
        // Wireshark takes 0 for "unknown"; that is part of the dialect, and no part of this claim.
        prop_assume!(!numbers.contains(&0));
        let without_raw = |tags: &Tags| tags.fields().filter(|(name, _)| !name.ends_with("_raw")).collect::<Vec<_>>();
        for (before, after) in play(&plain).iter().zip(play(&moved).iter()).skip(1) {
            prop_assert_eq!(without_raw(before), without_raw(after));
        }
    }

    #[test]
    fn the_second_pass_repeats_the_verdicts_of_the_first(steps in vec(step(), 0..40)) {
        let (script, _) = script(&steps, 0, 0);
        prop_assert_eq!(verdicts(&play(&script)), verdicts(&play_once(&script)));
    }

    #[test]
    fn any_numbers_and_flags_are_judged_without_panic(
        packets in vec((any::<bool>(), any::<u32>(), any::<u32>(), any::<u32>(), any::<u16>(), any::<u16>(), any::<i64>()), 0..30),
    ) {
        let packets: Vec<_> = packets.iter().enumerate().map(|(index, &(out, seq, ack, len, flags, window, at))| {
            let mut packet = segment(index as u64 + 1, &mut 0, if out { "0> ." } else { "0< ." });
            packet.meta.at = Timestamp::from_nanos(at);
            if let Transport::Tcp(tcp) = &mut packet.transport {
                (tcp.seq, tcp.ack, tcp.len, tcp.window) = (SeqNumber(seq), SeqNumber(ack), len, window);
                tcp.flags = TcpFlags::from_bits(flags);
            }
            packet
        }).collect();
        prop_assert_eq!(replay(&packets).len(), packets.len());
    }
}
