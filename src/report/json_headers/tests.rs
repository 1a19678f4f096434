use std::collections::BTreeMap;

use super::*;
use crate::finding::Code;
use crate::pipeline::Judging;
use crate::report::testing::CONVERSATION;
use crate::report::testing::IDLE_CLOSE;
use crate::report::testing::LOSS;
use crate::report::testing::MID_STREAM;
use crate::report::testing::REFUSED;
use crate::report::testing::UDP;
use crate::report::testing::V6_WRONG_ACK;
use crate::report::testing::watch_judging;

fn lines(script: &str, wireshark: Option<&BTreeMap<&str, bool>>) -> String {
    let mut out = Vec::new();
    watch_judging(
        Judging::Everything,
        script,
        |packet, seen| frame(&mut out, "a.pcap", packet, seen, wireshark).expect("a vector takes everything"),
        |_| {},
        |_| {},
    );
    String::from_utf8(out).expect("text")
}

fn objects(script: &str) -> Vec<Value> {
    lines(script, None).lines().map(|line| serde_json::from_str(line).expect("an object per line")).collect()
}

fn codes(object: &Value) -> Vec<&str> {
    let verdicts = object["verdicts"].as_array().expect("a list");
    verdicts.iter().map(|verdict| verdict["code"].as_str().expect("a code")).collect()
}

#[test]
fn a_syn_gives_the_keys_of_the_contract_with_numbers_as_numbers() {
    let syn = &objects(CONVERSATION)[0];
    let keys: Vec<_> = syn.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "caplen", "defects", "dst", "dst_port", "ethernet", "file", "frame", "ipv4", "layers", "len", "proto",
            "src", "src_port", "stream", "tcp", "time", "verdicts"
        ]
    );
    assert_eq!(syn["file"], "a.pcap");
    assert_eq!(syn["frame"], 1);
    assert_eq!(syn["time"], "1700000000.000000000");
    assert_eq!((&syn["caplen"], &syn["len"]), (&json!(74), &json!(74)));
    assert_eq!(syn["layers"], json!(["ethernet", "ipv4", "tcp"]));
    assert_eq!((&syn["src"], &syn["src_port"], &syn["proto"]), (&json!("127.0.0.1"), &json!(45876), &json!("tcp")));
    assert_eq!(syn["ipv4"]["source_address"], "127.0.0.1");
    assert_eq!(syn["ipv4"]["total_length"], 60);
    assert_eq!(syn["ethernet"]["destination"], "02:00:7f:00:00:01");
    let tcp = &syn["tcp"];
    assert_eq!(tcp["sequence_number"], 2_557_618_400_u32);
    assert_eq!((&tcp["flags"], &tcp["syn"], &tcp["ack"]), (&json!(2), &json!(true), &json!(false)));
    assert_eq!((&tcp["data_offset"], &tcp["header_length"]), (&json!(10), &json!(40)));
    assert_eq!(
        tcp["options"],
        json!([
            {"kind": 2, "name": "mss", "value": 65495},
            {"kind": 4, "name": "sack-permitted"},
            {"kind": 8, "name": "timestamps", "tsval": 100, "tsecr": 0},
            {"kind": 3, "name": "window-scale", "shift": 10},
            {"kind": 1, "name": "no-operation"},
        ])
    );
}

#[test]
fn keys_stand_in_the_order_of_the_contract_and_the_wire() {
    let text = lines(CONVERSATION, None);
    let first = text.lines().next().expect("a line");
    assert!(
        first.starts_with(r#"{"file":"a.pcap","frame":1,"time":"1700000000.000000000","caplen":74,"len":74,"layers":"#)
    );
    assert!(first.contains(r#""tcp":{"source_port":45876,"destination_port":47011,"sequence_number":2557618400,"#));
}

#[test]
fn a_sum_that_holds_one_that_breaks_and_one_that_cannot_be_checked_have_verdicts() {
    let holds = &objects(CONVERSATION)[1]["verdicts"];
    let (ack, isn) = (2_557_618_401_u32, 2_557_618_400_u32);
    assert_eq!(
        *holds,
        json!([{"code": "syn-ack-ack", "verdict": "holds", "frames": [1], "ack": ack, "isn": isn, "covers": 1}])
    );
    let broken = &objects(V6_WRONG_ACK)[1]["verdicts"];
    assert_eq!((&broken[0]["code"], &broken[0]["verdict"]), (&json!("ack-range"), &json!("broken")));
    assert_eq!(
        broken[1],
        json!({
            "code": "syn-ack-ack", "verdict": "broken", "frames": [1],
            "ack": 1005, "isn": 1000, "covers": 5, "snd_nxt": 1001, "over_by": 4,
        })
    );
    let unknown = &objects("+0 S > C S. 5000:5000(0) ack 1001")[0]["verdicts"];
    assert_eq!(
        *unknown,
        json!([{"code": "syn-ack-ack", "verdict": "cannot-tell", "gap": "no-handshake", "ack": 1001}])
    );
}

#[test]
fn what_was_found_of_a_segment_is_listed_by_code_with_the_frames_it_rests_on() {
    let losses = objects(LOSS);
    let found = [
        (2, &["handshake-ack"][..]),
        (4, &["lost-segment"]),
        (6, &["fast-retransmission"]),
        (7, &["window-shrunk", "zero-window"]),
        (8, &["bad-checksum"]),
        (9, &["segment-acceptable", "retransmission-of-acknowledged"]),
        (10, &["challenge-ack", "spurious-retransmission", "window-opened"]),
        (11, &["keep-alive"]),
        (12, &["keep-alive-answer"]),
    ];
    for (index, expected) in found {
        assert_eq!(codes(&losses[index]), expected, "{}", losses[index]["verdicts"]);
    }
    assert_eq!(losses[10]["verdicts"][0]["frames"], json!([10]));
    assert_eq!(losses[8]["defects"][0]["code"], "tcp-checksum");
    assert_eq!((&losses[8]["defects"][0]["layer"], &losses[8]["defects"][0]["offset"]), (&json!("tcp"), &json!(50)));
    assert_eq!(codes(&objects(REFUSED)[1]), ["refused"]);
    assert_eq!(codes(&objects(MID_STREAM)[0]), ["mid-stream"]);
    assert_eq!(codes(&objects(IDLE_CLOSE)[3]), ["idle-close"]);
    assert_eq!(codes(&objects(CONVERSATION)[9]), ["fin-ack"]);
    assert_eq!(objects(UDP)[3]["verdicts"], json!([{"code": "udp-port-closed", "verdict": "found"}]));
}

#[test]
fn every_verdict_stands_in_the_catalogue_with_its_numbers() {
    for object in
        [CONVERSATION, LOSS, MID_STREAM, REFUSED, IDLE_CLOSE, V6_WRONG_ACK, UDP].iter().flat_map(|s| objects(s))
    {
        for verdict in object["verdicts"].as_array().expect("a list") {
            let name = verdict["code"].as_str().expect("a code");
            assert!(Code::named(name).is_some(), "{name} is not in the catalogue");
        }
    }
}

#[test]
fn an_icmp_error_tells_which_packet_it_quotes() {
    let icmp = &objects(UDP)[3];
    assert_eq!(icmp["proto"], "icmp");
    assert_eq!((&icmp["icmp"]["type"], &icmp["icmp"]["code"]), (&json!(3), &json!(3)));
    assert_eq!(icmp["icmp"]["quoted"]["dst_port"], 5657);
    assert!(icmp.get("src_port").is_none());
}

#[test]
fn a_repeated_layer_gives_its_innermost_object_and_both_names() {
    let tagged = &objects("vlan 5 7\n +0 C > S udp \"x\"")[0];
    assert_eq!(tagged["layers"], json!(["ethernet", "vlan", "vlan", "ipv4", "udp"]));
    assert_eq!(tagged["vlan"]["vlan_id"], 7);
}

#[test]
fn wiresharks_pairs_are_passed_on_and_absent_otherwise() {
    let pairs = BTreeMap::from([("tcp.analysis.keep_alive", true)]);
    let text = lines("+0 C > S S 1:1(0)", Some(&pairs));
    let object: Value = serde_json::from_str(text.trim_end()).expect("an object");
    assert_eq!(object["wireshark"], json!({"tcp.analysis.keep_alive": true}));
    assert!(objects("+0 C > S S 1:1(0)")[0].get("wireshark").is_none());
}

#[test]
fn a_frame_that_cannot_be_decoded_is_an_object_too() {
    let object = &objects("+0 C > S S 1:1(0) snaplen 10")[0];
    assert_eq!((&object["caplen"], &object["len"]), (&json!(10), &json!(54)));
    assert!(!object["defects"].as_array().expect("a list").is_empty());
    assert!(object.get("src").is_none() && object.get("proto").is_none());
}

#[test]
fn rarer_options_have_keys_for_their_fields() {
    let option = |text: &str| {
        let object = objects(&format!("+0 C > S S 1:1(0) <{text}>")).remove(0);
        object["tcp"]["options"][0].clone()
    };
    assert_eq!(
        option("opt 30 0x400102"),
        json!({"kind": 30, "name": "mptcp", "data": "400102", "subtype": 4, "subtype_name": "remove-addr", "address_id": [1, 2]})
    );
    assert_eq!(option("opt 30 0x2001000000")["subtype_name"], "dss");
    assert_eq!(
        option("opt 172 0x000001000002"),
        json!({"kind": 172, "name": "accurate-ecn", "data": "000001000002", "ee0b": 1, "eceb": 2})
    );
    assert_eq!(
        option("opt 254 0xf98901020304"),
        json!({"kind": 254, "name": "experiment", "data": "f98901020304", "exid": 0xf989, "experiment": "Fast Open"})
    );
    assert_eq!(
        option("opt 29 0x0102aabb"),
        json!({"kind": 29, "name": "tcp-ao", "key_id": 1, "rnext_key_id": 2, "mac": "aabb", "data": "0102aabb"})
    );
}

#[test]
fn options_of_ip_are_objects_in_wire_order_and_stops_are_addresses() {
    let v4 = &objects("+0 C > S udp (4) ipopt 0x94040000")[0]["ipv4"]["options"];
    let meaning = "every router examines it";
    let alert =
        json!({"kind": 148, "name": "router-alert", "length": 4, "value": 0, "meaning": meaning, "data": "0000"});
    assert_eq!(*v4, json!([alert]));
    assert!(objects("+0 C > S udp (4)")[0]["ipv4"].get("options").is_none());
    let stop = "20010db8000000000000000000000002";
    let script = format!(
        "A = [2001:db8::1]:1\nB = [2001:db8::2]:2\n+0 A > B udp (4) ext 0 0xc90100050200000000 ext 43 0x000100000000{stop}"
    );
    let routed = &objects(&script)[0];
    assert_eq!(routed["ipv6-routing"]["addresses"], json!(["2001:db8::2"]));
    let options = routed["ipv6-hop-by-hop"]["options"].as_array().expect("a list");
    let names: Vec<_> = options.iter().map(|option| option["name"].as_str().expect("a name")).collect();
    assert_eq!(names, ["home-address", "router-alert", "pad-1"]);
    assert_eq!(options[2], json!({"kind": 0, "name": "pad-1", "count": 7}));
    assert_eq!(routed["defects"][0]["code"], "ip-option-size");
}

#[test]
fn a_label_stack_is_a_list_and_no_key_stands_twice() {
    let text = lines("mpls 16 17\n+0 C > S udp (4)", None);
    assert_eq!(text.matches("\"bottom_of_stack\"").count(), 3, "{text}");
    let mpls = &objects("mpls 16 17\n+0 C > S udp (4)")[0]["mpls"];
    let entry = |label: u32, bottom: bool| json!({"label": label, "traffic_class": 0, "bottom_of_stack": bottom, "time_to_live": 64});
    assert_eq!(mpls["entries"], json!([entry(16, false), entry(17, true)]));
    assert_eq!(mpls["label"], 17);
}

#[test]
fn a_quote_has_every_header_and_extensions_stand_beside_it() {
    let script = "+0 C > S P. 5:205(200) <mss 1460>\n\
        +0 S > C icmp time-exceeded padded 128 \"\\x20\\0\\xc5\\x5f\\0\\x08\\x01\\x01\\x18\\x96\\x01\\x01\"";
    let message = &objects(script)[1]["icmp"];
    let quoted = &message["quoted"];
    assert_eq!(quoted["layers"], json!(["ipv4", "tcp"]));
    assert_eq!(
        (&quoted["src"], &quoted["dst_port"], &quoted["proto"]),
        (&json!("10.0.0.1"), &json!(80), &json!("tcp"))
    );
    assert_eq!((&quoted["ipv4"]["total_length"], &quoted["tcp"]["sequence_number"]), (&json!(244), &json!(5)));
    assert_eq!(quoted["tcp"]["options"][0]["value"], 1460);
    assert_eq!(quoted["tcp"]["checksum_state"], "unverifiable");
    let extensions = &message["extensions"];
    assert_eq!((&extensions["version"], &extensions["checksum_state"]), (&json!(2), &json!("good")));
    let label = json!({"label": 100_704, "traffic_class": 0, "bottom": true, "ttl": 1});
    assert_eq!(extensions["objects"][0]["entries"], json!([label]));
    assert_eq!(extensions["objects"][0]["name"], "mpls-stack");
    let echo = &objects("+0 C > S udp (8)\n+0 S > C icmp time-exceeded")[1];
    assert!(echo["icmp"].get("extensions").is_none());
}

#[test]
fn a_quote_without_ports_has_its_headers_too() {
    let script = "+0 C > S udp (20) fragment 1480\n+0 S > C icmp time-exceeded";
    let quoted = &objects(script)[1]["icmp"]["quoted"];
    assert_eq!((&quoted["src"], &quoted["ipv4"]["fragment_offset"]), (&json!("10.0.0.1"), &json!(185)));
    assert!(quoted.get("proto").is_none() && quoted.get("src_port").is_none());
}
