//! The layout of a script file: a line for each member of the file and for each element of its lists.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

use crate::ScriptFile;

/// The file with a line feed at its end.
pub(super) fn write(file: &ScriptFile) -> String {
    let mut octets = Vec::new();
    let written = file.serialize(&mut Serializer::with_formatter(&mut octets, Lines::default()));
    // Memory takes whatever is written, and JSON is UTF-8.
    drop(written);
    octets.push(b'\n');
    String::from_utf8(octets).unwrap_or_default()
}

/// Lines for what stands directly in the file; everything deeper stays in its line.
#[derive(Default)]
struct Lines {
    depth: usize,
    is_empty: bool,
}

/// The object of the file.
const FILE: usize = 1;
/// A list in it.
const LIST: usize = 2;

impl Lines {
    fn begin<W: Write + ?Sized>(&mut self, out: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth += 1;
        self.is_empty = true;
        out.write_all(bracket)
    }

    fn next<W: Write + ?Sized>(&self, out: &mut W, lines: usize, is_first: bool) -> io::Result<()> {
        let comma: &[u8] = if is_first { b"" } else { b"," };
        out.write_all(comma)?;
        if self.depth == lines {
            line(out, self.depth)
        } else if is_first {
            Ok(())
        } else {
            out.write_all(b" ")
        }
    }

    fn end<W: Write + ?Sized>(&mut self, out: &mut W, lines: usize, bracket: &[u8]) -> io::Result<()> {
        self.depth -= 1;
        if self.depth + 1 == lines && !self.is_empty {
            line(out, self.depth)?;
        }
        self.is_empty = false;
        out.write_all(bracket)
    }
}

fn line<W: Write + ?Sized>(out: &mut W, depth: usize) -> io::Result<()> {
    out.write_all(b"\n")?;
    (0..depth).try_for_each(|_| out.write_all(b"  "))
}

impl Formatter for Lines {
    fn begin_array<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.begin(out, b"[")
    }

    fn end_array<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.end(out, LIST, b"]")
    }

    fn begin_array_value<W: Write + ?Sized>(&mut self, out: &mut W, is_first: bool) -> io::Result<()> {
        self.next(out, LIST, is_first)
    }

    fn end_array_value<W: Write + ?Sized>(&mut self, _: &mut W) -> io::Result<()> {
        self.is_empty = false;
        Ok(())
    }

    fn begin_object<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.begin(out, b"{")
    }

    fn end_object<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.end(out, FILE, b"}")
    }

    fn begin_object_key<W: Write + ?Sized>(&mut self, out: &mut W, is_first: bool) -> io::Result<()> {
        self.next(out, FILE, is_first)
    }

    fn begin_object_value<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }

    fn end_object_value<W: Write + ?Sized>(&mut self, _: &mut W) -> io::Result<()> {
        self.is_empty = false;
        Ok(())
    }
}
