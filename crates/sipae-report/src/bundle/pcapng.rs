//! Blocks of a capture file, [draft-ietf-opsawg-pcapng]: a section, one interface, packets.
//!
//! [draft-ietf-opsawg-pcapng]: https://datatracker.ietf.org/doc/draft-ietf-opsawg-pcapng/

use sipae_events::Direction;

/// Octets of a file that begins with a section header. All numbers are little-endian.
#[derive(Debug)]
pub(super) struct Pcapng(Vec<u8>);

/// IPv4 packets without a link layer before them.
const LINKTYPE_IPV4: u16 = 228;

const SECTION_HEADER: u32 = 0x0A0D_0D0A;
const INTERFACE_DESCRIPTION: u32 = 0x0000_0001;
const ENHANCED_PACKET: u32 = 0x0000_0006;

const OPT_COMMENT: u16 = 1;
const SHB_USERAPPL: u16 = 4;
const IF_NAME: u16 = 2;
const EPB_FLAGS: u16 = 2;

impl Pcapng {
    /// A file written by `program`.
    pub(super) fn new(program: &str, comment: &str) -> Self {
        let mut file = Self(Vec::new());
        let mut section = Block::default();
        // Byte order, version 1.0, a section whose length is not told.
        section.put(&0x1A2B_3C4D_u32.to_le_bytes()).put(&[1, 0, 0, 0]).put(&[0xFF; 8]);
        section.option(OPT_COMMENT, comment.as_bytes()).option(SHB_USERAPPL, program.as_bytes());
        file.append(SECTION_HEADER, section);
        let mut interface = Block::default();
        // No bound on the length of packets; times are in microseconds.
        interface.put(&LINKTYPE_IPV4.to_le_bytes()).put(&[0; 2]).put(&[0; 4]);
        interface.option(IF_NAME, b"sipae");
        file.append(INTERFACE_DESCRIPTION, interface);
        file
    }

    /// A packet of the one interface; an empty comment is none.
    pub(super) fn packet(&mut self, microseconds: u64, octets: &[u8], direction: Direction, comment: &str) {
        let mut packet = Block::default();
        let time = microseconds.to_le_bytes();
        let (low, high) = time.split_at(4);
        let length = size(octets.len()).to_le_bytes();
        packet.put(&[0; 4]).put(high).put(low).put(&length).put(&length).put(octets).pad();
        let flags: u32 = match direction {
            Direction::Received => 1,
            Direction::Sent => 2,
        };
        packet.option(EPB_FLAGS, &flags.to_le_bytes());
        if !comment.is_empty() {
            packet.option(OPT_COMMENT, comment.as_bytes());
        }
        self.append(ENHANCED_PACKET, packet);
    }

    pub(super) fn into_octets(self) -> Vec<u8> {
        self.0
    }

    /// The length stands before and behind what a block holds.
    fn append(&mut self, kind: u32, mut block: Block) {
        block.put(&[0; 4]);
        let length = size(block.0.len() + 12).to_le_bytes();
        for part in [&kind.to_le_bytes()[..], &length, &block.0, &length] {
            self.0.extend_from_slice(part);
        }
    }
}

/// What a block holds, options last; the end of the options is written with the block.
#[derive(Default)]
struct Block(Vec<u8>);

impl Block {
    fn put(&mut self, octets: &[u8]) -> &mut Self {
        self.0.extend_from_slice(octets);
        self
    }

    fn pad(&mut self) -> &mut Self {
        self.0.resize(self.0.len().next_multiple_of(4), 0);
        self
    }

    /// One that is too long to be told is none.
    fn option(&mut self, code: u16, value: &[u8]) -> &mut Self {
        match u16::try_from(value.len()) {
            Ok(length) => self.put(&code.to_le_bytes()).put(&length.to_le_bytes()).put(value).pad(),
            Err(_) => self,
        }
    }
}

/// Packets are of 64 KiB at most.
fn size(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
