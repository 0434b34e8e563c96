//! The messages of a case in order: a column for each party of the suite, one for the target.

use sipae_events::{Direction, Exchanged};

use crate::text::{printable, visible};

/// Columns from one party to the next.
const STEP: usize = 12;
/// Columns from the last party to the target: room for a label.
const SPAN: usize = 38;
/// Where the first line of life stands.
const LEFT: usize = 8;
/// Rows of a ladder that is not told in full.
const ROWS: usize = 24;
/// Parties that get a column of their own.
const PARTIES: usize = 4;

/// The messages of SIP: lines of a codec and the standard error of a program are told otherwise.
pub(crate) fn told_messages(exchange: &[Exchanged]) -> Vec<Exchanged> {
    let is_message = |message: &&Exchanged| !message.is_line() && message.party != Exchanged::STANDARD_ERROR;
    exchange.iter().filter(is_message).cloned().collect()
}

/// What a codec was asked and answered, as it can be copied, and the end of what a program wrote to its standard error.
pub(crate) fn told_lines(exchange: &[Exchanged], is_whole: bool) -> Vec<String> {
    exchange.iter().flat_map(|message| told_line(message, is_whole)).collect()
}

fn told_line(message: &Exchanged, is_whole: bool) -> Vec<String> {
    /// Characters of a line that are told.
    const LONGEST: usize = 4000;
    /// Lines of a standard error that are told.
    const LAST: usize = 10;
    if message.party == Exchanged::STANDARD_ERROR {
        let lines: Vec<&str> = message.octets.lines().collect();
        let skipped = if is_whole { 0 } else { lines.len().saturating_sub(LAST) };
        let lines = lines.into_iter().skip(skipped).map(|line| format!("  {}", printable(line)));
        return [format!("standard error ({}):", message.label)].into_iter().chain(lines).collect();
    }
    if !message.is_line() {
        return Vec::new();
    }
    let name = match message.direction {
        Direction::Sent => "asked   ",
        Direction::Received => "answered",
    };
    let longest = if is_whole { usize::MAX } else { LONGEST };
    let text: String = message.octets.chars().take(longest).map(visible).collect();
    let cut = if message.octets.chars().nth(longest).is_some() { "..." } else { "" };
    vec![format!("{name}  {text}{cut}")]
}

/// The lines of a ladder, without indent. A long one is cut in its middle, unless all of it is asked for; `left_out`
/// messages came after those in `exchange`.
pub(crate) fn ladder(exchange: &[Exchanged], left_out: u64, is_whole: bool) -> Vec<String> {
    if exchange.is_empty() {
        return Vec::new();
    }
    let drawing = Drawing::of(exchange);
    let mut lines = vec![drawing.head()];
    let (before, skipped, after) = cut(exchange, if is_whole { usize::MAX } else { ROWS });
    lines.extend(before.iter().map(|message| drawing.row(message)));
    if skipped != 0 {
        lines.push(drawing.remark(&format!("{skipped} messages not shown")));
    }
    lines.extend(after.iter().map(|message| drawing.row(message)));
    if left_out != 0 {
        lines.push(drawing.remark(&format!("{left_out} more messages not kept")));
    }
    lines
}

/// Beginning, number of messages between, end: no more than `rows` in all, the line that stands for the others with
/// them.
fn cut(exchange: &[Exchanged], rows: usize) -> (&[Exchanged], usize, &[Exchanged]) {
    if exchange.len() <= rows {
        return (exchange, 0, &[]);
    }
    let head = rows / 2;
    let tail = exchange.len() - (rows - head - 1);
    let (before, after) = (exchange.get(..head), exchange.get(tail..));
    (before.unwrap_or_default(), tail - head, after.unwrap_or_default())
}

/// Who stands where.
struct Drawing<'e> {
    parties: Vec<&'e str>,
}

impl<'e> Drawing<'e> {
    fn of(exchange: &'e [Exchanged]) -> Self {
        let mut parties: Vec<&str> = Vec::new();
        for message in exchange {
            if !parties.contains(&message.party.as_str()) && parties.len() < PARTIES {
                parties.push(&message.party);
            }
        }
        Self { parties }
    }

    fn column(&self, party: &str) -> usize {
        // The last column is also that of parties beyond the bound.
        let place = self.parties.iter().position(|known| *known == party);
        LEFT + STEP * place.unwrap_or(self.parties.len().saturating_sub(1))
    }

    fn last(&self) -> usize {
        LEFT + STEP * self.parties.len().saturating_sub(1)
    }

    fn target(&self) -> usize {
        self.last() + SPAN
    }

    fn head(&self) -> String {
        let mut line = Line::default();
        for (party, place) in self.parties.iter().zip(0..) {
            let name = if party.is_empty() { "suite" } else { party };
            line.centred(LEFT + STEP * place, &shortened(name, STEP - 1));
        }
        line.centred(self.target(), "target");
        line.text()
    }

    /// `3     |           |----- REGISTER -------->|`, with the number of the connection first.
    fn row(&self, message: &Exchanged) -> String {
        let mut line = self.lives();
        line.put(0, &message.connection.to_string());
        let (from, to) = (self.column(&message.party), self.target());
        for place in from + 1..to {
            line.put(place, "-");
        }
        // An arrow that crosses the line of life of another party leaves it standing.
        for party in self.parties.iter().map(|party| self.column(party)).filter(|place| from < *place) {
            line.put(party, "|");
        }
        match message.direction {
            Direction::Sent => line.put(to - 1, ">"),
            Direction::Received => line.put(from + 1, "<"),
        }
        let label = shortened(&label(message), SPAN - 8);
        line.centred(self.last() + SPAN / 2, &format!(" {label} "));
        line.text()
    }

    fn remark(&self, text: &str) -> String {
        let mut line = self.lives();
        line.centred(self.last() + SPAN / 2, &format!(" … {text} … "));
        line.text()
    }

    fn lives(&self) -> Line {
        let mut line = Line::default();
        for party in &self.parties {
            line.put(self.column(party), "|");
        }
        line.put(self.target(), "|");
        line
    }
}

/// Method or status with its phrase, as the message itself says; else what the event calls it.
pub(crate) fn label(message: &Exchanged) -> String {
    let line = message.octets.lines().next().unwrap_or_default();
    let label = match line.strip_prefix("SIP/2.0 ") {
        Some(status) => status,
        None if line.ends_with(" SIP/2.0") => line.split(' ').next().unwrap_or_default(),
        None if message.label.is_empty() => line,
        None => &message.label,
    };
    printable(label.trim())
}

fn shortened(text: &str, longest: usize) -> String {
    let text = printable(text);
    if text.chars().count() <= longest {
        return text;
    }
    let kept: String = text.chars().take(longest.saturating_sub(1)).collect();
    format!("{kept}…")
}

/// A line of characters that is written to in any order.
#[derive(Default)]
struct Line(Vec<char>);

impl Line {
    fn put(&mut self, place: usize, text: &str) {
        for (place, shown) in (place..).zip(text.chars()) {
            if self.0.len() <= place {
                self.0.resize(place + 1, ' ');
            }
            if let Some(at) = self.0.get_mut(place) {
                *at = shown;
            }
        }
    }

    fn centred(&mut self, place: usize, text: &str) {
        self.put(place.saturating_sub(text.chars().count() / 2), text);
    }

    fn text(self) -> String {
        self.0.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(party: &str, connection: u32, line: &str) -> Exchanged {
        Exchanged::new(Direction::Sent, connection, "label", line.as_bytes()).of(party)
    }

    fn received(party: &str, connection: u32, line: &str) -> Exchanged {
        Exchanged { direction: Direction::Received, ..sent(party, connection, line) }
    }

    fn drawn(exchange: &[Exchanged], left_out: u64, is_whole: bool) -> String {
        ladder(exchange, left_out, is_whole).join("\n")
    }

    #[test]
    fn one_party_needs_one_column() {
        insta::assert_snapshot!(drawn(
            &[
                sent("", 1, "REGISTER sip:contoso.com SIP/2.0\r\nVia: x\r\n"),
                received("", 1, "SIP/2.0 401 Unauthorized\r\n"),
                sent("", 12, "ACK sip:alice@contoso.com SIP/2.0\r\n"),
                received("", 12, "\u{1b}[2Jgarbage"),
            ],
            0,
            false
        ), @r"
              suite                                target
        1       |------------- REGISTER ------------->|
        1       |<-------- 401 Unauthorized ----------|
        12      |---------------- ACK --------------->|
        12      |<-------------- label ---------------|
        ");
    }

    #[test]
    fn two_parties_have_a_column_each() {
        insta::assert_snapshot!(drawn(
            &[
                sent("alice", 1, "INVITE sip:bob@contoso.com SIP/2.0\r\n"),
                received("bob", 2, "INVITE sip:bob@192.0.2.1 SIP/2.0\r\n"),
                sent("bob", 2, "SIP/2.0 180 Ringing\r\n"),
                received("alice", 1, "SIP/2.0 480 Temporarily not available, try again later\r\n"),
            ],
            0,
            false
        ), @r"
              alice        bob                                 target
        1       |-----------|-------------- INVITE -------------->|
        2       |           |<------------- INVITE ---------------|
        2       |           |------------ 180 Ringing ----------->|
        1       |<----------|-- 480 Temporarily not available… ---|
        ");
    }

    #[test]
    fn a_long_ladder_is_cut_in_its_middle_and_a_flood_is_counted() {
        let exchange: Vec<_> =
            (1..=30).map(|number| sent("alice", number, &format!("M{number} sip:x SIP/2.0"))).collect();
        let short = drawn(&exchange, 5, false);
        assert_eq!(short.lines().count(), 1 + ROWS + 1, "{short}");
        assert!(short.contains("… 7 messages not shown …") && short.contains("… 5 more messages not kept …"));
        for (label, is_shown) in [("M12", true), ("M13", false), ("M19", false), ("M20", true), ("M30", true)]
        {
            assert_eq!(short.contains(&format!(" {label} ")), is_shown, "{label}");
        }
        assert_eq!(drawn(&exchange, 0, true).lines().count(), 31);
    }

    #[test]
    fn nothing_that_was_sent_is_no_ladder() {
        assert!(ladder(&[], 0, false).is_empty());
    }
}
