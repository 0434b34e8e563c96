//! Captures, written by code: link layers, both formats, segments in any order.

use std::net::{Ipv4Addr, Ipv6Addr};

use etherparse::PacketBuilder;
use rstest::rstest;
use sipae_decode::input::{Framing, Input, InputError, read};

pub(crate) const CLIENT: u16 = 40_000;
pub(crate) const SERVER: u16 = 5060;

pub(crate) const INVITE: &str = "INVITE sip:b@x SIP/2.0\r\nCall-ID: 1\r\nContent-Length: 4\r\n\r\nbody";
const ANSWER: &str = "SIP/2.0 200 OK\r\nCall-ID: 1\r\nContent-Length: 0\r\n\r\n";

/// A segment from the client to the server, or back.
pub(crate) fn tcp(from: u16, sequence: u32, payload: &[u8]) -> Vec<u8> {
    let (source, destination, to) = ends(from);
    let builder = PacketBuilder::ethernet2([1; 6], [2; 6]).ipv4(source, destination, 64);
    let builder = builder.tcp(from, to, sequence, 1024).ack(1).psh();
    written(builder.size(payload.len()), |out| builder.write(out, payload))
}

fn ends(from: u16) -> ([u8; 4], [u8; 4], u16) {
    if from == CLIENT {
        ([10, 0, 0, 2], [10, 0, 0, 1], SERVER)
    } else {
        ([10, 0, 0, 1], [10, 0, 0, 2], CLIENT)
    }
}

fn syn(sequence: u32) -> Vec<u8> {
    let builder = PacketBuilder::ethernet2([1; 6], [2; 6]).ipv4([10, 0, 0, 2], [10, 0, 0, 1], 64);
    let builder = builder.tcp(CLIENT, SERVER, sequence, 1024).syn();
    written(builder.size(0), |out| builder.write(out, &[]))
}

fn written<E: std::fmt::Debug>(size: usize, write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>) -> Vec<u8> {
    let mut out = Vec::with_capacity(size);
    write(&mut out).expect("a packet");
    out
}

/// Without the Ethernet header.
fn ip(packet: &[u8]) -> Vec<u8> {
    packet[14..].to_vec()
}

/// Seconds of the first packet: 2012-06-29T07:28:25Z.
const START: u32 = 1_340_954_905;

/// A classic capture, one packet each second.
pub(crate) fn pcap(link_type: u32, packets: &[Vec<u8>]) -> Vec<u8> {
    classic(0xA1B2_C3D4, u32::to_le_bytes, link_type, packets)
}

fn classic(magic: u32, word: fn(u32) -> [u8; 4], link_type: u32, packets: &[Vec<u8>]) -> Vec<u8> {
    let short = if word(1) == [1, 0, 0, 0] { [2, 0, 4, 0] } else { [0, 2, 0, 4] };
    let mut out = word(magic).to_vec();
    out.extend(short);
    for field in [0, 0, 65_535, link_type] {
        out.extend(word(field));
    }
    for (second, packet) in (0..).zip(packets) {
        let length = u32::try_from(packet.len()).expect("short");
        for field in [START + second, 298_858, length, length] {
            out.extend(word(field));
        }
        out.extend(packet);
    }
    out
}

/// A pcapng capture with one section and one interface.
pub(crate) fn pcapng(word: fn(u32) -> [u8; 4], link_type: u16, packets: &[Vec<u8>]) -> Vec<u8> {
    let little = word(1) == [1, 0, 0, 0];
    let short = |number: u16| if little { number.to_le_bytes() } else { number.to_be_bytes() };
    let header = [&word(0x1A2B_3C4D)[..], &short(1), &short(0), &[0xFF; 8]].concat();
    let interface = [&short(link_type)[..], &short(0), &word(65_535)].concat();
    let mut out = [block(word, 0x0A0D_0D0A, &header), block(word, 1, &interface)].concat();
    for (second, packet) in (0..).zip(packets) {
        let length = u32::try_from(packet.len()).expect("short");
        let ticks = u64::from(START + second) * 1_000_000 + 298_858;
        let (high, low) =
            (u32::try_from(ticks >> 32).expect("high"), u32::try_from(ticks & 0xFFFF_FFFF).expect("low"));
        let fields = [0, high, low, length, length].map(word).concat();
        let padding = vec![0; (4 - packet.len() % 4) % 4];
        out.extend(block(word, 6, &[fields, packet.clone(), padding].concat()));
    }
    out
}

fn block(word: fn(u32) -> [u8; 4], kind: u32, contents: &[u8]) -> Vec<u8> {
    let length = word(u32::try_from(contents.len() + 12).expect("short"));
    [&word(kind)[..], &length, contents, &length].concat()
}

fn texts(input: &Input) -> Vec<String> {
    input.messages.iter().map(|message| String::from_utf8_lossy(&message.octets).into_owned()).collect()
}

fn conversation() -> Vec<Vec<u8>> {
    vec![tcp(CLIENT, 100, INVITE.as_bytes()), tcp(SERVER, 900, ANSWER.as_bytes())]
}

#[rstest]
#[case(pcap(1, &conversation()))]
#[case(classic(0xA1B2_C3D4, u32::to_be_bytes, 1, &conversation()))]
#[case(pcapng(u32::to_le_bytes, 1, &conversation()))]
#[case(pcapng(u32::to_be_bytes, 1, &conversation()))]
fn both_formats_are_read_in_both_orders_of_octets(#[case] file: Vec<u8>) {
    let input = read(&file).expect("a capture");
    assert_eq!(texts(&input), [INVITE, ANSWER]);
    assert_eq!(input.remarks, [""; 0]);
    let origin = input.messages[0].origin.clone().expect("a packet");
    assert_eq!(origin.source.to_string(), "10.0.0.2:40000");
    assert_eq!(origin.destination.to_string(), "10.0.0.1:5060");
    assert_eq!(origin.time.as_deref(), Some("2012-06-29T07:28:25.298858Z"));
    assert_eq!((origin.packet, input.messages[0].framing), (1, Framing::ContentLength));
}

#[test]
fn nanoseconds_are_no_microseconds() {
    let input = read(&classic(0xA1B2_3C4D, u32::to_le_bytes, 1, &conversation())).expect("a capture");
    let time = input.messages[0].origin.clone().and_then(|origin| origin.time);
    assert_eq!(time.as_deref(), Some("2012-06-29T07:28:25.000298Z"));
}

fn vlan() -> Vec<u8> {
    let packet = tcp(CLIENT, 1, INVITE.as_bytes());
    [&packet[..12], &[0x81, 0, 0, 7], &packet[12..]].concat()
}

fn version_6() -> Vec<u8> {
    let address = |last| Ipv6Addr::new(0x2001, 0xDB8, 0, 0, 0, 0, 0, last).octets();
    let builder = PacketBuilder::ethernet2([1; 6], [2; 6]).ipv6(address(2), address(1), 64);
    let builder = builder.tcp(CLIENT, SERVER, 1, 1024).ack(1);
    written(builder.size(INVITE.len()), |out| builder.write(out, INVITE.as_bytes()))
}

fn udp() -> Vec<u8> {
    let address = |last| Ipv4Addr::new(10, 0, 0, last).octets();
    let builder =
        PacketBuilder::ethernet2([1; 6], [2; 6]).ipv4(address(2), address(1), 64).udp(CLIENT, SERVER);
    written(builder.size(INVITE.len()), |out| builder.write(out, INVITE.as_bytes()))
}

/// Linux cooked: packet type, hardware, address, protocol, payload.
fn sll() -> Vec<u8> {
    [&[0, 0, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0, 8, 0][..], &ip(&tcp(CLIENT, 1, INVITE.as_bytes()))].concat()
}

fn sll2() -> Vec<u8> {
    [
        &[8, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0][..],
        &ip(&tcp(CLIENT, 1, INVITE.as_bytes())),
    ]
    .concat()
}

fn loopback() -> Vec<u8> {
    [&[2, 0, 0, 0][..], &ip(&tcp(CLIENT, 1, INVITE.as_bytes()))].concat()
}

#[rstest]
#[case(1, vlan())]
#[case(1, version_6())]
#[case(1, udp())]
#[case(101, ip(&tcp(CLIENT, 1, INVITE.as_bytes())))]
#[case(229, ip(&version_6()))]
#[case(113, sll())]
#[case(276, sll2())]
#[case(0, loopback())]
#[case(108, loopback())]
fn every_link_layer_leads_to_the_message(#[case] link_type: u16, #[case] packet: Vec<u8>) {
    for file in [
        pcap(u32::from(link_type), std::slice::from_ref(&packet)),
        pcapng(u32::to_le_bytes, link_type, std::slice::from_ref(&packet)),
    ] {
        assert_eq!(texts(&read(&file).expect("a capture")), [INVITE]);
    }
}

#[test]
fn a_link_layer_that_is_not_read_is_told() {
    let input = read(&pcap(195, &conversation())).expect("a capture");
    assert_eq!(input.remarks, ["2 packets have link type 195, which is not read"]);
}

/// Pieces of one message in this order: place and length.
fn pieces(order: &[(usize, usize)]) -> Vec<Vec<u8>> {
    let start = u32::MAX - 10;
    let piece = |(place, length): &(usize, usize)| {
        let sequence = start.wrapping_add(1 + u32::try_from(*place).expect("short"));
        tcp(CLIENT, sequence, &INVITE.as_bytes()[*place..place + length])
    };
    std::iter::once(syn(start)).chain(order.iter().map(piece)).collect()
}

#[rstest]
#[case(&[(0, 10), (10, 20), (30, 31)])]
#[case(&[(30, 31), (0, 10), (10, 20)])]
#[case(&[(10, 20), (10, 20), (0, 10), (30, 31), (30, 31)])]
#[case(&[(0, 20), (10, 30), (5, 15), (35, 26)])]
fn segments_are_put_in_order_whatever_order_they_come_in(#[case] order: &[(usize, usize)]) {
    assert_eq!(INVITE.len(), 61);
    let input = read(&pcap(1, &pieces(order))).expect("a capture");
    assert_eq!(texts(&input), [INVITE]);
    assert_eq!(input.remarks, [""; 0]);
}

#[test]
fn a_gap_is_told_and_what_follows_is_found() {
    let mut packets = pieces(&[(0, 10), (40, 21)]);
    packets.push(tcp(CLIENT, (u32::MAX - 10).wrapping_add(62), format!("\r\n{ANSWER}").as_bytes()));
    let input = read(&pcap(1, &packets)).expect("a capture");
    assert!(texts(&input).contains(&ANSWER.to_owned()), "{input:?}");
    assert_eq!(
        input.remarks[0],
        "TCP 10.0.0.2:40000 -> 10.0.0.1:5060: 30 octets are missing before packet 3"
    );
}

#[test]
fn octets_that_are_missing_at_the_beginning_are_told_where_it_was_seen() {
    let input = read(&pcap(1, &[syn(100), tcp(CLIENT, 105, INVITE.as_bytes())])).expect("a capture");
    assert_eq!(texts(&input), [INVITE]);
    assert!(input.remarks[0].ends_with("4 octets are missing before packet 2"), "{:?}", input.remarks);
    let input = read(&pcap(1, &[tcp(CLIENT, 105, INVITE.as_bytes())])).expect("a capture");
    assert_eq!(input.remarks, [""; 0]);
}

#[test]
fn messages_of_one_side_stand_in_their_order_where_packets_are_overtaken() {
    let next = 1 + u32::try_from(ANSWER.len()).expect("short");
    let packets = [syn(0), tcp(CLIENT, next, INVITE.as_bytes()), tcp(CLIENT, 1, ANSWER.as_bytes())];
    let input = read(&pcap(1, &packets)).expect("a capture");
    assert_eq!(texts(&input), [ANSWER, INVITE]);
}

/// RFC 9293 3.8.4: a keep-alive repeats an octet, whose value does not matter.
#[test]
fn keep_alives_of_tcp_are_no_octets() {
    let next = 1 + u32::try_from(INVITE.len()).expect("short");
    let packets = [
        tcp(CLIENT, 1, INVITE.as_bytes()),
        tcp(CLIENT, next - 1, &[0]),
        tcp(CLIENT, next, INVITE.as_bytes()),
    ];
    let input = read(&pcap(1, &packets)).expect("a capture");
    assert_eq!(texts(&input), [INVITE, INVITE]);
    assert_eq!(input.remarks, [""; 0]);
}

#[test]
fn a_retransmission_with_other_octets_is_told() {
    let mut packets = pieces(&[(0, 61)]);
    packets.push(tcp(CLIENT, u32::MAX - 9, b"REFER "));
    let input = read(&pcap(1, &packets)).expect("a capture");
    assert_eq!(texts(&input), [INVITE]);
    assert!(input.remarks[0].contains("1 packets repeat octets with others in them"), "{:?}", input.remarks);
}

#[test]
fn a_new_connection_with_the_same_ports_begins_anew() {
    let packets = [
        syn(100),
        tcp(CLIENT, 101, INVITE.as_bytes()),
        syn(5_000_000),
        tcp(CLIENT, 5_000_001, INVITE.as_bytes()),
    ];
    let input = read(&pcap(1, &packets)).expect("a capture");
    assert_eq!(texts(&input), [INVITE, INVITE]);
    assert_eq!(input.remarks, [""; 0]);
}

#[test]
fn messages_stand_in_the_order_of_their_packets_and_keep_alives_are_nothing() {
    let mut packets = vec![tcp(CLIENT, 10, b"\r\n\r\n")];
    packets.push(tcp(SERVER, 900, ANSWER.as_bytes()));
    packets.push(tcp(CLIENT, 14, &[INVITE, INVITE].concat().into_bytes()));
    let input = read(&pcap(1, &packets)).expect("a capture");
    assert_eq!(texts(&input), [ANSWER, INVITE, INVITE]);
    assert_eq!(input.remarks, [""; 0]);
}

#[test]
fn tls_is_told_and_not_decrypted() {
    let record = [&[22, 3, 1, 0, 100][..], &[0; 100]].concat();
    let input = read(&pcap(1, &[tcp(CLIENT, 1, &record)])).expect("a capture");
    let name = "TCP 10.0.0.2:40000 -> 10.0.0.1:5060";
    assert_eq!(input.remarks, [format!("{name}: 105 octets that look like TLS: not decrypted")]);
    let input = read(&pcap(1, &[tcp(CLIENT, 1, b"GET / HTTP/1.1\r\n\r\n")])).expect("a capture");
    assert_eq!(input.remarks, [format!("{name}: 18 octets that are no SIP, beginning with \"GET / HT\"")]);
}

#[test]
fn fragments_are_told() {
    let mut packet = udp();
    packet[20] |= 0x20;
    let input = read(&pcap(1, &[packet])).expect("a capture");
    assert_eq!(input.remarks, ["1 fragments of IP packets are not put together"]);
}

#[rstest]
#[case(pcap(1, &conversation()))]
#[case(pcapng(u32::to_le_bytes, 1, &conversation()))]
fn a_capture_that_breaks_off_is_read_up_to_there(#[case] mut file: Vec<u8>) {
    file.truncate(file.len() - 10);
    let input = read(&file).expect("a capture");
    assert_eq!(texts(&input), [INVITE]);
    assert!(input.remarks[0].starts_with("capture breaks off at offset "), "{:?}", input.remarks);
}

#[test]
fn a_capture_without_its_header_is_an_error() {
    for magic in [&[0xD4, 0xC3, 0xB2, 0xA1][..], &[0x0A, 0x0D, 0x0D, 0x0A]] {
        assert!(matches!(read(magic), Err(InputError::Capture { .. })));
    }
}
