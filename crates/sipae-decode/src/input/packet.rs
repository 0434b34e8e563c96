//! Link, network and transport headers of one captured packet.

use std::net::{IpAddr, SocketAddr};

use etherparse::{EtherType, LaxNetSlice, LaxSlicedPacket, TransportSlice, ether_type};

use super::Transport;
use crate::octets::{array, slice};

/// What a packet carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Packet<'a> {
    /// Octets of TCP or UDP.
    Segment(Segment<'a>),
    /// A fragment of an IP packet.
    Fragment,
    /// Neither TCP nor UDP, or cut short before its octets begin.
    Other,
    /// A link layer that is not read.
    UnknownLink,
}

/// The octets of one packet, and where they belong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Segment<'a> {
    pub(super) transport: Transport,
    pub(super) source: SocketAddr,
    pub(super) destination: SocketAddr,
    pub(super) payload: &'a [u8],
    /// The capture holds fewer octets than were sent.
    pub(super) is_cut: bool,
    /// Sequence number of the first octet; 0 for UDP.
    pub(super) sequence: u32,
    /// A connection begins.
    pub(super) begins: bool,
}

/// Reads a packet of this link type (<https://www.tcpdump.org/linktypes.html>).
pub(super) fn read(link_type: i32, octets: &[u8]) -> Packet<'_> {
    let sliced = match link_type {
        link::ETHERNET => LaxSlicedPacket::from_ethernet(octets).ok(),
        link::NULL | link::LOOP => LaxSlicedPacket::from_ip(slice(octets, 4, octets.len())).ok(),
        link::RAW | link::IPV4 | link::IPV6 | link::DLT_RAW | link::DLT_RAW_BSD => {
            LaxSlicedPacket::from_ip(octets).ok()
        }
        link::LINUX_SLL => cooked(octets, 14, 16),
        link::LINUX_SLL2 => cooked(octets, 0, 20),
        _ => return Packet::UnknownLink,
    };
    sliced.map_or(Packet::Other, |sliced| segment(&sliced))
}

/// Linux cooked: the protocol at one offset, what it carries at another.
fn cooked(octets: &[u8], protocol: usize, payload: usize) -> Option<LaxSlicedPacket<'_>> {
    let protocol = EtherType(u16::from_be_bytes(array(octets, protocol)?));
    let known = [ether_type::IPV4, ether_type::IPV6, ether_type::VLAN_TAGGED_FRAME];
    let payload = slice(octets, payload, octets.len());
    known.contains(&protocol).then(|| LaxSlicedPacket::from_ether_type(protocol, payload))
}

fn segment<'a>(packet: &LaxSlicedPacket<'a>) -> Packet<'a> {
    let Some((source, destination)) = packet.net.as_ref().and_then(addresses) else { return Packet::Other };
    let Some(ip) = packet.ip_payload() else { return Packet::Other };
    if ip.fragmented {
        return Packet::Fragment;
    }
    let is_cut = ip.incomplete;
    match &packet.transport {
        Some(TransportSlice::Tcp(tcp)) => Packet::Segment(Segment {
            transport: Transport::Tcp,
            source: SocketAddr::new(source, tcp.source_port()),
            destination: SocketAddr::new(destination, tcp.destination_port()),
            payload: tcp.payload(),
            is_cut,
            sequence: tcp.sequence_number().wrapping_add(u32::from(tcp.syn())),
            begins: tcp.syn(),
        }),
        Some(TransportSlice::Udp(udp)) => Packet::Segment(Segment {
            transport: Transport::Udp,
            source: SocketAddr::new(source, udp.source_port()),
            destination: SocketAddr::new(destination, udp.destination_port()),
            payload: udp.payload(),
            is_cut,
            sequence: 0,
            begins: false,
        }),
        _ => Packet::Other,
    }
}

fn addresses(net: &LaxNetSlice<'_>) -> Option<(IpAddr, IpAddr)> {
    match net {
        LaxNetSlice::Ipv4(ip) => {
            Some((ip.header().source_addr().into(), ip.header().destination_addr().into()))
        }
        LaxNetSlice::Ipv6(ip) => {
            Some((ip.header().source_addr().into(), ip.header().destination_addr().into()))
        }
        LaxNetSlice::Arp(_) => None,
    }
}

/// Link types by number.
mod link {
    pub(super) const NULL: i32 = 0;
    pub(super) const ETHERNET: i32 = 1;
    pub(super) const DLT_RAW: i32 = 12;
    pub(super) const DLT_RAW_BSD: i32 = 14;
    pub(super) const RAW: i32 = 101;
    pub(super) const LOOP: i32 = 108;
    pub(super) const LINUX_SLL: i32 = 113;
    pub(super) const IPV4: i32 = 228;
    pub(super) const IPV6: i32 = 229;
    pub(super) const LINUX_SLL2: i32 = 276;
}
