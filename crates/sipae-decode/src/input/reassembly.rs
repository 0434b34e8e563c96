//! TCP octets in order, by sequence number, for each direction of a connection; UDP octets packet by packet.
//!
//! Bounded by the input: octets are slices of it. Of octets that were sent twice the first ones are kept.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::cut::{Cut, LineEnds, cut};
use super::packet::Segment;
use super::{Captured, Input, MAX_FLOWS, Origin, Transport};
use crate::octets::{shown, slice, timestamp};

/// Who sends what to whom.
type Key = (Transport, SocketAddr, SocketAddr);

/// Octets of one packet, at their place in the connection.
#[derive(Clone, Copy)]
struct Piece<'a> {
    /// From the first octet that was seen; before it where a packet was overtaken.
    place: i64,
    packet: usize,
    nanoseconds: Option<i128>,
    octets: &'a [u8],
    is_cut: bool,
}

/// One direction of a connection, from its beginning to the next one with the same addresses.
struct Direction<'a> {
    key: Key,
    pieces: Vec<Piece<'a>>,
    /// Sequence number and place behind the newest octet.
    next: (u32, i64),
    /// Its beginning was seen: octets that are missing there are a gap.
    has_begun: bool,
}

/// All octets of a capture.
#[derive(Default)]
pub(super) struct Flows<'a> {
    directions: Vec<Direction<'a>>,
    /// The newest direction of each pair of addresses.
    newest: BTreeMap<Key, usize>,
    /// Packets of directions above [`MAX_FLOWS`].
    dropped: usize,
}

impl<'a> Flows<'a> {
    pub(super) fn add(&mut self, segment: &Segment<'a>, packet: usize, nanoseconds: Option<i128>) {
        let key = (segment.transport, segment.source, segment.destination);
        let count = self.directions.len();
        let known = self.newest.get(&key).and_then(|index| self.directions.get_mut(*index));
        match known {
            Some(direction) if !direction.ended_before(segment) => {
                direction.add(segment, packet, nanoseconds);
            }
            _ if segment.payload.is_empty() && !segment.begins => {}
            _ if MAX_FLOWS <= count => self.dropped += 1,
            _ => {
                self.newest.insert(key, count);
                let mut direction =
                    Direction { key, pieces: Vec::new(), next: (segment.sequence, 0), has_begun: false };
                direction.add(segment, packet, nanoseconds);
                self.directions.push(direction);
            }
        }
    }

    /// The messages of all directions, in the order in which they came in.
    pub(super) fn finish(self) -> Input {
        let (mut messages, mut remarks) = (Vec::new(), Vec::new());
        for direction in self.directions {
            direction.read(&mut messages, &mut remarks);
        }
        messages.sort_by_key(|(order, _)| *order);
        if 0 < self.dropped {
            let dropped = self.dropped;
            remarks.push(format!(
                "{dropped} packets of connections above the first {MAX_FLOWS} are not looked at"
            ));
        }
        Input { messages: messages.into_iter().map(|(_, message)| message).collect(), remarks }
    }
}

impl<'a> Direction<'a> {
    /// A connection begins, and not by the packet that began this one sent again.
    fn ended_before(&self, segment: &Segment<'_>) -> bool {
        let first = self.next.0.wrapping_sub(u32::try_from(self.next.1).unwrap_or(u32::MAX));
        segment.begins && !self.pieces.is_empty() && segment.sequence != first
    }

    fn add(&mut self, segment: &Segment<'a>, packet: usize, nanoseconds: Option<i128>) {
        if segment.begins && self.pieces.is_empty() {
            self.next = (segment.sequence, 0);
            self.has_begun = true;
        }
        let place = self.place(segment.sequence);
        if segment.payload.is_empty() || self.is_probe(segment, place) {
            return;
        }
        let length = u32::try_from(segment.payload.len()).unwrap_or(u32::MAX);
        let end = place + i64::from(length);
        if self.next.1 < end {
            self.next = (segment.sequence.wrapping_add(length), end);
        }
        let (octets, is_cut) = (segment.payload, segment.is_cut);
        self.pieces.push(Piece { place, packet, nanoseconds, octets, is_cut });
    }

    /// Sequence numbers wrap around; half of them are before the newest octet, half behind it.
    fn place(&self, sequence: u32) -> i64 {
        let (newest, place) = self.next;
        place + i64::from(sequence.wrapping_sub(newest).cast_signed())
    }

    /// Whether an octet is sent again to see if the other side is there; it need not be the one that was sent.
    fn is_probe(&self, segment: &Segment<'_>, place: i64) -> bool {
        self.key.0 == Transport::Tcp && segment.payload.len() == 1 && place + 1 == self.next.1
    }

    /// Gives each message with the packet that it may have been waiting for: one that is overtaken comes in no earlier
    /// than what stands before it.
    fn read(self, messages: &mut Vec<(usize, Captured)>, remarks: &mut Vec<String>) {
        let runs = if self.key.0 == Transport::Udp { self.datagrams() } else { self.runs(remarks) };
        let (mut skipped, mut first, mut order) = (0, Vec::new(), 0);
        for run in &runs {
            let Cut { messages: found, skipped: junk } = cut(&run.octets, LineEnds::Keep);
            for junk in junk {
                if first.is_empty() {
                    first = slice(&run.octets, junk.offset, junk.offset + 8).to_vec();
                }
                skipped += junk.length;
            }
            for message in found {
                order = order.max(run.packet_at(message.offset).0);
                messages.push((order, self.located(message, run)));
            }
        }
        if 0 < skipped {
            remarks.push(format!("{}: {}", self.name(), describe(skipped, &first)));
        }
    }

    fn datagrams(&self) -> Vec<Run> {
        self.pieces.iter().map(|piece| Run::of(piece)).collect()
    }

    /// The octets without what was sent twice, parted where some are missing.
    fn runs(&self, remarks: &mut Vec<String>) -> Vec<Run> {
        let mut pieces = self.pieces.clone();
        pieces.sort_by_key(|piece| (piece.place, piece.packet));
        let (mut runs, mut gaps, mut differs): (Vec<Run>, _, _) = (Vec::new(), Vec::new(), 0);
        let first = pieces.first().map_or(0, |piece| piece.place);
        let mut end = if self.has_begun { first.min(0) } else { first };
        for piece in &pieces {
            match runs.last_mut().filter(|_| piece.place <= end) {
                Some(run) => {
                    let known = usize::try_from(end - piece.place).unwrap_or(0);
                    differs += usize::from(!run.extend(piece, known));
                }
                None => runs.push(Run::of(piece)),
            }
            if end < piece.place {
                gaps.push((piece.place - end, piece.packet));
            }
            end = end.max(piece.place + i64::try_from(piece.octets.len()).unwrap_or(i64::MAX / 2));
        }
        self.remark_gaps(&gaps, remarks);
        self.remark_oddities(differs, remarks);
        runs
    }

    fn remark_gaps(&self, gaps: &[(i64, usize)], remarks: &mut Vec<String>) {
        const TOLD: usize = 10;
        for (missing, packet) in gaps.iter().take(TOLD) {
            let text = format!("{}: {missing} octets are missing before packet {packet}", self.name());
            remarks.push(text);
        }
        if TOLD < gaps.len() {
            remarks.push(format!("{}: {} more gaps", self.name(), gaps.len() - TOLD));
        }
    }

    fn remark_oddities(&self, differs: usize, remarks: &mut Vec<String>) {
        if 0 < differs {
            let text = format!(
                "{}: {differs} packets repeat octets with others in them; the first are kept",
                self.name()
            );
            remarks.push(text);
        }
        let cut = self.pieces.iter().filter(|piece| piece.is_cut).count();
        if 0 < cut {
            remarks.push(format!("{}: {cut} packets are cut short by the capture", self.name()));
        }
    }

    fn name(&self) -> String {
        let (transport, source, destination) = self.key;
        format!("{transport} {source} -> {destination}")
    }

    fn located(&self, message: Captured, run: &Run) -> Captured {
        let (transport, source, destination) = self.key;
        let (packet, nanoseconds) = run.packet_at(message.offset);
        let time = nanoseconds.map(timestamp);
        Captured { origin: Some(Origin { transport, source, destination, time, packet }), ..message }
    }
}

fn describe(length: usize, first: &[u8]) -> String {
    if matches!(first, [20..=23, 3, 0..=4, ..]) {
        format!("{length} octets that look like TLS: not decrypted")
    } else {
        format!("{length} octets that are no SIP, beginning with \"{}\"", shown(first))
    }
}

/// Octets without a gap.
#[derive(Default)]
struct Run {
    octets: Vec<u8>,
    /// Where the octets of each packet begin, its number and its time.
    packets: Vec<(usize, usize, Option<i128>)>,
}

impl Run {
    fn of(piece: &Piece<'_>) -> Self {
        let mut run = Self::default();
        run.extend(piece, 0);
        run
    }

    /// Adds what is new in a piece; false if what is known of it differs.
    fn extend(&mut self, piece: &Piece<'_>, known: usize) -> bool {
        let new = slice(piece.octets, known, piece.octets.len());
        let again = slice(piece.octets, 0, known);
        let start = self.octets.len().saturating_sub(known);
        let agrees = slice(&self.octets, start, start + again.len()) == again;
        if !new.is_empty() {
            self.packets.push((self.octets.len(), piece.packet, piece.nanoseconds));
            self.octets.extend_from_slice(new);
        }
        agrees
    }

    fn packet_at(&self, offset: usize) -> (usize, Option<i128>) {
        let behind = self.packets.partition_point(|(start, ..)| *start <= offset);
        let found = behind.checked_sub(1).and_then(|index| self.packets.get(index));
        found.map_or((0, None), |(_, packet, nanoseconds)| (*packet, *nanoseconds))
    }
}
