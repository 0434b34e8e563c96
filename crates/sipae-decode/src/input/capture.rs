//! Packets out of pcap and pcapng files.

use std::collections::BTreeMap;

use pcap_parser::pcapng::{Block, parse_block_be, parse_block_le};
use pcap_parser::{
    LegacyPcapBlock, PcapHeader, parse_pcap_frame, parse_pcap_frame_be, parse_pcap_frame_modified,
    parse_pcap_header,
};

use super::packet::{self, Packet};
use super::reassembly::Flows;
use super::{Input, InputError};
use crate::octets::{array, slice};

/// Section header block of pcapng, the same in both orders of octets.
const PCAPNG: [u8; 4] = [0x0A, 0x0D, 0x0D, 0x0A];
const NANOSECONDS: i128 = 1_000_000_000;

/// Whether the octets begin with the magic number of a capture.
pub(super) fn is_capture(octets: &[u8]) -> bool {
    array(octets, 0) == Some(PCAPNG) || array(octets, 0).map(u32::from_le_bytes).is_some_and(is_pcap)
}

const fn is_pcap(magic: u32) -> bool {
    const PLAIN: [u32; 3] = [0xA1B2_C3D4, 0xA1B2_3C4D, 0xA1B2_CD34];
    let [micro, nano, modified] = PLAIN;
    magic == micro
        || magic == nano
        || magic == modified
        || magic == micro.swap_bytes()
        || magic == nano.swap_bytes()
}

/// A packet as the file holds it.
struct Frame<'a> {
    link_type: i32,
    /// Since the Unix epoch.
    nanoseconds: Option<i128>,
    octets: &'a [u8],
}

/// Reads a capture.
pub(super) fn read(octets: &[u8]) -> Result<Input, InputError> {
    let mut reader = Reader::default();
    let is_pcapng = array(octets, 0) == Some(PCAPNG);
    let whole = if is_pcapng { reader.pcapng(octets) } else { reader.pcap(octets) };
    whole.map(|()| reader.finish())
}

#[derive(Default)]
struct Reader<'a> {
    flows: Flows<'a>,
    /// Packets so far.
    packets: usize,
    fragments: usize,
    /// Packets of link types that are not read.
    unknown: BTreeMap<i32, usize>,
    remarks: Vec<String>,
}

impl<'a> Reader<'a> {
    fn pcap(&mut self, octets: &'a [u8]) -> Result<(), InputError> {
        let bad = |_| InputError::Capture { problem: "its header is cut short".to_owned() };
        let (mut rest, header) = parse_pcap_header(octets).map_err(bad)?;
        while !rest.is_empty() {
            let Some((behind, block)) = pcap_frame(&header, rest) else {
                self.breaks_off(octets.len() - rest.len());
                break;
            };
            self.frame(&legacy(&header, &block));
            rest = behind;
        }
        Ok(())
    }

    fn pcapng(&mut self, octets: &'a [u8]) -> Result<(), InputError> {
        let (mut rest, mut section) = (octets, Section::default());
        while !rest.is_empty() {
            let Some((behind, block)) = section.block(rest) else {
                self.breaks_off(octets.len() - rest.len());
                break;
            };
            if let Some(frame) = section.frame(block) {
                self.frame(&frame);
            }
            rest = behind;
        }
        if rest.len() == octets.len() {
            return Err(InputError::Capture { problem: "its first block is cut short".to_owned() });
        }
        Ok(())
    }

    fn breaks_off(&mut self, offset: usize) {
        self.remarks.push(format!("capture breaks off at offset {offset}, after {} packets", self.packets));
    }

    fn frame(&mut self, frame: &Frame<'a>) {
        self.packets += 1;
        match packet::read(frame.link_type, frame.octets) {
            Packet::Segment(segment) => self.flows.add(&segment, self.packets, frame.nanoseconds),
            Packet::Fragment => self.fragments += 1,
            Packet::UnknownLink => *self.unknown.entry(frame.link_type).or_default() += 1,
            Packet::Other => {}
        }
    }

    fn finish(mut self) -> Input {
        if 0 < self.fragments {
            let count = self.fragments;
            self.remarks.push(format!("{count} fragments of IP packets are not put together"));
        }
        for (link_type, count) in self.unknown {
            self.remarks.push(format!("{count} packets have link type {link_type}, which is not read"));
        }
        let mut input = self.flows.finish();
        input.remarks.splice(0..0, self.remarks);
        input
    }
}

fn pcap_frame<'a>(header: &PcapHeader, octets: &'a [u8]) -> Option<(&'a [u8], LegacyPcapBlock<'a>)> {
    let parse = if header.is_modified_format() {
        parse_pcap_frame_modified
    } else if header.is_bigendian() {
        parse_pcap_frame_be
    } else {
        parse_pcap_frame
    };
    parse(octets).ok()
}

fn legacy<'a>(header: &PcapHeader, block: &LegacyPcapBlock<'a>) -> Frame<'a> {
    let unit = if header.is_nanosecond_precision() { 1 } else { 1000 };
    let nanoseconds = i128::from(block.ts_sec) * NANOSECONDS + i128::from(block.ts_usec) * unit;
    // The upper half says whether frames end in a checksum.
    let link_type = header.network.0 & 0xFFFF;
    Frame { link_type, nanoseconds: Some(nanoseconds), octets: block.data }
}

/// An interface of a pcapng section.
#[derive(Clone, Copy)]
struct Interface {
    link_type: i32,
    /// Units per second.
    resolution: Option<u64>,
    /// Seconds to add.
    offset: i64,
}

#[derive(Default)]
struct Section {
    is_big_endian: bool,
    interfaces: Vec<Interface>,
}

impl Section {
    fn block<'a>(&self, octets: &'a [u8]) -> Option<(&'a [u8], Block<'a>)> {
        let is_big_endian = self.is_big_endian && array(octets, 0) != Some(PCAPNG);
        if !has_whole_block(octets, is_big_endian) {
            return None;
        }
        if is_big_endian { parse_block_be(octets).ok() } else { parse_block_le(octets).ok() }
    }

    fn frame<'a>(&mut self, block: Block<'a>) -> Option<Frame<'a>> {
        match block {
            Block::SectionHeader(header) => {
                *self = Self { is_big_endian: header.big_endian(), interfaces: Vec::new() };
                None
            }
            Block::InterfaceDescription(interface) => {
                self.interfaces.push(Interface {
                    link_type: interface.linktype.0,
                    resolution: interface.ts_resolution().filter(|units| *units != 0),
                    offset: interface.ts_offset(),
                });
                None
            }
            Block::EnhancedPacket(packet) => {
                let interface = *self.interfaces.get(usize::try_from(packet.if_id).ok()?)?;
                let ticks = u64::from(packet.ts_high) << 32 | u64::from(packet.ts_low);
                Some(interface.frame(packet.data, packet.caplen, Some(ticks)))
            }
            Block::SimplePacket(packet) => {
                Some(self.interfaces.first()?.frame(packet.data, packet.origlen, None))
            }
            _ => None,
        }
    }
}

/// The lengths of a block are looked at before it is read: a length that does not fit is not to be reckoned with.
fn has_whole_block(octets: &[u8], is_big_endian: bool) -> bool {
    let read = if is_big_endian { u32::from_be_bytes } else { u32::from_le_bytes };
    let Some(mut length) = array(octets, 4).map(read) else { return false };
    if array(octets, 0) == Some(PCAPNG) && array(octets, 8) == Some([0x1A, 0x2B, 0x3C, 0x4D]) {
        length = length.swap_bytes();
    }
    usize::try_from(length).is_ok_and(|length| 12 <= length && length <= octets.len())
}

impl Interface {
    fn frame<'a>(&self, data: &'a [u8], length: u32, ticks: Option<u64>) -> Frame<'a> {
        let octets = slice(data, 0, usize::try_from(length).unwrap_or(usize::MAX));
        let nanoseconds = ticks.zip(self.resolution).map(|(ticks, resolution)| {
            i128::from(self.offset) * NANOSECONDS + i128::from(ticks) * NANOSECONDS / i128::from(resolution)
        });
        Frame { link_type: self.link_type, nanoseconds, octets }
    }
}
