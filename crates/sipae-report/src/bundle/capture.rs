//! The exchange of a case as a capture: each of its connections a TCP stream between two addresses of documentation.

use std::io;

use etherparse::{PacketBuilder, TcpOptionElement};
use sipae_events::{CaseFinished, Direction, Exchanged};

use super::pcapng::Pcapng;
use crate::ladder::{label, told_messages};
use crate::text::printable;

/// The suite, RFC 5737.
const SUITE: [u8; 4] = [192, 0, 2, 1];
/// The target, whatever its address was: the port is the one by which readers know SIP.
const TARGET: ([u8; 4], u16) = ([192, 0, 2, 2], 5060);
/// The first of the ports of the suite, the beginning of those that belong to nobody (RFC 6335).
const PORTS: u16 = 49_152;
/// Octets of a segment, as over Ethernet.
const SEGMENT: usize = 1460;
const WINDOW: u16 = u16::MAX;
/// Sequence numbers of the SYN of either side.
const FIRST: (u32, u32) = (1000, 5000);
const STEP_MICROSECONDS: u64 = 1000;

const COMMENT: &str = "The order of the packets is that of the messages; their times are 1 ms apart and tell the order \
                       only. Addresses, ports and handshakes of TCP are made up.";

/// The capture, if there are messages of SIP.
pub(super) fn capture(program: &str, case: &CaseFinished) -> io::Result<Option<Vec<u8>>> {
    let messages = told_messages(&case.exchange);
    if messages.is_empty() {
        return Ok(None);
    }
    let mut capture = Capture::new(program, case);
    messages.iter().try_for_each(|message| capture.message(message))?;
    Ok(Some(capture.file.into_octets()))
}

struct Capture {
    file: Pcapng,
    packets: u64,
    streams: Vec<Stream>,
}

/// A connection, and the sequence numbers that come next.
#[derive(Clone, Copy)]
struct Stream {
    connection: u32,
    port: u16,
    suite: u32,
    target: u32,
}

/// What a segment is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Syn,
    SynAck,
    Ack,
    Data,
    /// The last of a message.
    Push,
}

impl Capture {
    fn new(program: &str, case: &CaseFinished) -> Self {
        let head = format!("{} at {}: {}. {COMMENT}", case.case, case.subject, case.verdict);
        let left_out = match case.exchange_left_out {
            0 => String::new(),
            count => format!(" {count} more messages were not kept."),
        };
        Self { file: Pcapng::new(program, &(head + &left_out)), packets: 0, streams: Vec::new() }
    }

    fn message(&mut self, message: &Exchanged) -> io::Result<()> {
        let mut stream = self.stream(message.connection)?;
        let octets = message.exact_octets();
        let mut comment = comment(message);
        let count = octets.len().div_ceil(SEGMENT);
        for (part, place) in octets.chunks(SEGMENT).zip(1..) {
            let kind = if place == count { Kind::Push } else { Kind::Data };
            self.segment(&mut stream, message.direction, kind, part, &std::mem::take(&mut comment))?;
        }
        // Readers see a gap where octets were not kept, and begin again behind it.
        stream.pass(message.direction, u32::try_from(message.octets_left_out).unwrap_or(0));
        self.segment(&mut stream, other(message.direction), Kind::Ack, &[], "")?;
        self.keep(stream);
        Ok(())
    }

    /// The stream of a connection, which begins with its first message.
    fn stream(&mut self, connection: u32) -> io::Result<Stream> {
        if let Some(known) = self.streams.iter().find(|stream| stream.connection == connection) {
            return Ok(*known);
        }
        let port = PORTS + u16::try_from(self.streams.len()).unwrap_or_default();
        let mut stream = Stream { connection, port, suite: FIRST.0, target: FIRST.1 };
        let begins = format!("connection {connection}");
        self.segment(&mut stream, Direction::Sent, Kind::Syn, &[], &begins)?;
        self.segment(&mut stream, Direction::Received, Kind::SynAck, &[], "")?;
        self.segment(&mut stream, Direction::Sent, Kind::Ack, &[], "")?;
        self.streams.push(stream);
        Ok(stream)
    }

    fn keep(&mut self, stream: Stream) {
        let known = self.streams.iter_mut().filter(|known| known.connection == stream.connection);
        known.for_each(|known| *known = stream);
    }

    fn segment(
        &mut self,
        stream: &mut Stream,
        from: Direction,
        kind: Kind,
        octets: &[u8],
        comment: &str,
    ) -> io::Result<()> {
        let packet = stream.packet(from, kind, octets)?;
        self.packets += 1;
        self.file.packet(self.packets * STEP_MICROSECONDS, &packet, from, comment);
        let begins = u32::from(matches!(kind, Kind::Syn | Kind::SynAck));
        stream.pass(from, begins + u32::try_from(octets.len()).unwrap_or_default());
        Ok(())
    }
}

impl Stream {
    /// So many octets of this side are over.
    fn pass(&mut self, from: Direction, octets: u32) {
        let next = match from {
            Direction::Sent => &mut self.suite,
            Direction::Received => &mut self.target,
        };
        *next = next.wrapping_add(octets);
    }

    fn packet(&self, from: Direction, kind: Kind, octets: &[u8]) -> io::Result<Vec<u8>> {
        const TIME_TO_LIVE: u8 = 64;
        let (target, service) = TARGET;
        let tcp = match from {
            Direction::Sent => {
                PacketBuilder::ipv4(SUITE, target, TIME_TO_LIVE).tcp(self.port, service, self.suite, WINDOW)
            }
            Direction::Received => {
                PacketBuilder::ipv4(target, SUITE, TIME_TO_LIVE).tcp(service, self.port, self.target, WINDOW)
            }
        };
        let seen = if from == Direction::Sent { self.target } else { self.suite };
        let tcp = if kind == Kind::Syn { tcp } else { tcp.ack(seen) };
        let tcp = match kind {
            Kind::Syn | Kind::SynAck => {
                let size = TcpOptionElement::MaximumSegmentSize(u16::try_from(SEGMENT).unwrap_or(u16::MAX));
                tcp.syn().options(&[size]).map_err(io::Error::other)?
            }
            Kind::Push => tcp.psh(),
            Kind::Ack | Kind::Data => tcp,
        };
        let mut packet = Vec::with_capacity(tcp.size(octets.len()));
        tcp.write(&mut packet, octets).map_err(io::Error::other)?;
        Ok(packet)
    }
}

/// Who speaks and what the message is, in its own words and in those of the case.
fn comment(message: &Exchanged) -> String {
    let party = if message.party.is_empty() { "suite" } else { &message.party };
    let (from, to) = match message.direction {
        Direction::Sent => (party, "target"),
        Direction::Received => ("target", party),
    };
    let (is, called) = (label(message), printable(&message.label));
    let called = if called.is_empty() || called == is { String::new() } else { format!(" ({called})") };
    let cut = match message.octets_left_out {
        0 => String::new(),
        count => format!("; its last {count} octets were not kept"),
    };
    format!("{} to {}: {is}{called}{cut}", printable(from), printable(to))
}

const fn other(direction: Direction) -> Direction {
    match direction {
        Direction::Sent => Direction::Received,
        Direction::Received => Direction::Sent,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use etherparse::{NetSlice, SlicedPacket, TransportSlice};
    use pcap_parser::traits::PcapNGPacketBlock;
    use pcap_parser::{Block, PcapNGOption, PcapNGSlice};

    use super::*;
    use crate::sample::{self, FAIL};

    fn message(direction: Direction, connection: u32, octets: &[u8]) -> Exchanged {
        Exchanged::new(direction, connection, "first try", octets).of("alice")
    }

    fn case(exchange: Vec<Exchanged>) -> CaseFinished {
        CaseFinished { exchange, ..sample::case(4, FAIL) }
    }

    /// Segments of either side of a connection: the port of the suite, and whether the suite sent them.
    type Segments = BTreeMap<(u16, bool), Vec<(u32, Vec<u8>)>>;

    #[derive(Default)]
    struct Read {
        segments: Segments,
        comments: Vec<String>,
        times: Vec<u64>,
    }

    fn comments(options: &[PcapNGOption<'_>]) -> Vec<String> {
        let comments = options.iter().filter(|option| option.code.0 == 1);
        comments.map(|option| String::from_utf8(option.as_bytes().unwrap().to_vec()).unwrap()).collect()
    }

    fn read(octets: &[u8]) -> Read {
        let mut read = Read::default();
        for block in PcapNGSlice::from_slice(octets).unwrap() {
            match block.unwrap() {
                pcap_parser::PcapBlockOwned::NG(Block::SectionHeader(section)) => {
                    read.comments.extend(comments(&section.options));
                }
                pcap_parser::PcapBlockOwned::NG(Block::EnhancedPacket(packet)) => {
                    read.comments.extend(comments(&packet.options));
                    read.times.push(u64::from(packet.ts_high) << 32 | u64::from(packet.ts_low));
                    segment(packet.packet_data(), &mut read.segments);
                }
                _ => {}
            }
        }
        read
    }

    /// Checks what a stack checks, too.
    fn segment(octets: &[u8], segments: &mut Segments) {
        let sliced = SlicedPacket::from_ip(octets).unwrap();
        let Some(NetSlice::Ipv4(ip)) = &sliced.net else { panic!("no IPv4") };
        let header = ip.header().to_header();
        assert_eq!(header.header_checksum, header.calc_header_checksum());
        let Some(TransportSlice::Tcp(tcp)) = &sliced.transport else { panic!("no TCP") };
        assert_eq!(
            tcp.checksum(),
            tcp.calc_checksum_ipv4(ip.header().source(), ip.header().destination()).unwrap()
        );
        assert!(tcp.payload().len() <= SEGMENT);
        let is_sent = tcp.destination_port() == 5060;
        let port = if is_sent { tcp.source_port() } else { tcp.destination_port() };
        let sequence = tcp.sequence_number() + u32::from(tcp.syn());
        segments.entry((port, is_sent)).or_default().push((sequence, tcp.payload().to_vec()));
    }

    /// The octets of a side, each where its sequence number says.
    fn reassembled(segments: &[(u32, Vec<u8>)]) -> Vec<u8> {
        let (first, mut octets) = (segments[0].0, Vec::new());
        for (sequence, part) in segments {
            octets.resize(usize::try_from(sequence - first).unwrap(), b'?');
            octets.extend(part);
        }
        octets
    }

    #[test]
    fn the_octets_of_each_connection_come_out_as_they_went_in() {
        let long: Vec<u8> = (0..=255).cycle().take(Exchanged::MAX_OCTETS).collect();
        let exchange = vec![
            message(Direction::Sent, 1, b"REGISTER sip:contoso.com SIP/2.0\r\n\r\n"),
            message(Direction::Sent, 7, &long),
            message(Direction::Received, 1, b"SIP/2.0 401 Unauthorized\r\n\r\n"),
            message(Direction::Sent, 1, &long[..SEGMENT]),
            message(Direction::Received, 7, b"\xff\x00"),
            message(Direction::Received, 1, b""),
        ];
        let read = read(&capture("sipae 0.1.0", &case(exchange.clone())).unwrap().unwrap());
        for (port, connection) in [(PORTS, 1), (PORTS + 1, 7)] {
            for direction in [Direction::Sent, Direction::Received] {
                let of_side =
                    |message: &&Exchanged| message.connection == connection && message.direction == direction;
                let expected: Vec<u8> =
                    exchange.iter().filter(of_side).flat_map(Exchanged::exact_octets).collect();
                let segments = &read.segments[&(port, direction == Direction::Sent)];
                assert_eq!(reassembled(segments), expected, "{connection} {direction:?}");
            }
        }
        assert_eq!(read.segments.len(), 4);
        assert!(read.times.windows(2).all(|pair| pair[0] + STEP_MICROSECONDS == pair[1]));
    }

    #[test]
    fn what_was_not_kept_is_a_gap() {
        let long = vec![b'x'; Exchanged::MAX_OCTETS + 10];
        let exchange = vec![message(Direction::Sent, 1, &long), message(Direction::Sent, 1, b"next")];
        let read = read(&capture("sipae", &case(exchange)).unwrap().unwrap());
        let sent = reassembled(&read.segments[&(PORTS, true)]);
        assert_eq!(sent.len(), Exchanged::MAX_OCTETS + 10 + 4);
        assert!(sent.ends_with(b"x??????????next"));
    }

    #[test]
    fn comments_say_who_speaks_and_that_times_are_the_order_only() {
        let exchange = vec![
            message(Direction::Sent, 1, b"REGISTER sip:contoso.com SIP/2.0\r\n\r\n"),
            message(Direction::Received, 1, b"SIP/2.0 200 OK\r\n\r\n"),
        ];
        let case = CaseFinished { exchange_left_out: 3, ..case(exchange) };
        let read = read(&capture("sipae", &case).unwrap().unwrap());
        insta::assert_snapshot!(read.comments.join("\n"), @r"
        3.3.5.1/bare-ack at NTLM v4: fail (reaction). The order of the packets is that of the messages; their times are 1 ms apart and tell the order only. Addresses, ports and handshakes of TCP are made up. 3 more messages were not kept.
        connection 1
        alice to target: REGISTER (first try)
        target to alice: 200 OK (first try)
        ");
    }

    #[test]
    fn lines_of_a_codec_and_a_standard_error_are_in_no_capture() {
        let exchange = vec![
            Exchanged::new(Direction::Sent, 1, "parse", b"{}").of("codec"),
            Exchanged::new(Direction::Received, 1, "the end", b"panic").of(Exchanged::STANDARD_ERROR),
        ];
        assert!(capture("sipae", &case(exchange)).unwrap().is_none());
    }
}
