//! Text for people: what peers chose made harmless, lines of a readable length, words for a shell.

use textwrap::Options;

/// How wide a line becomes.
pub(crate) const WIDTH: usize = 100;

/// Peers choose much of what is shown: no control characters, and not too long.
pub(crate) fn printable(text: &str) -> String {
    const LONGEST: usize = 200;
    let shown: String = text.chars().take(LONGEST).map(visible).collect();
    if text.chars().nth(LONGEST).is_some() { format!("{shown}…") } else { shown }
}

/// What moves a cursor, turns a line around, or cannot stand in XML is shown as U+FFFD.
#[must_use]
pub fn visible(shown: char) -> char {
    // Controls move the cursor, the marks of bidirectional text turn a line around, and XML has no noncharacters.
    let turns = matches!(shown, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    if shown.is_control() || turns || matches!(shown, '\u{FFFE}' | '\u{FFFF}') { '\u{FFFD}' } else { shown }
}

/// All of a text on one line: what is not [`visible`] as an escape, such as `\r` and `\u{1b}`.
pub(crate) fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for plain in text.chars() {
        if visible(plain) == plain { shown.push(plain) } else { shown.extend(plain.escape_default()) }
    }
    shown
}

/// Octets in lines as their CRLF say. What else is no plain text is an escape: a line end that lacks its CR is seen, and
/// so is what is not UTF-8.
pub(crate) fn readable(octets: &[u8]) -> String {
    let mut shown = String::with_capacity(octets.len());
    for chunk in octets.utf8_chunks() {
        let lines: Vec<String> = chunk.valid().split("\r\n").map(escaped).collect();
        shown += &lines.join("\n").replace("\\n", "\\n\n");
        shown.extend(chunk.invalid().iter().map(|octet| format!("\\x{octet:02x}")));
    }
    shown
}

/// A paragraph in lines of [`WIDTH`] columns: the first behind `head`, the others indented by `indent` columns.
pub(crate) fn wrapped(head: &str, indent: usize, text: &str) -> String {
    let indent = " ".repeat(indent);
    let options = Options::new(WIDTH).initial_indent(head).subsequent_indent(&indent).break_words(false);
    textwrap::fill(text, options)
}

/// The first sentence of a rule. A full stop inside brackets or before a small letter, as in `e.g. this`, ends none.
pub(crate) fn first_sentence(text: &str) -> &str {
    let ends = text.match_indices(['.', ';']).map(|(place, _)| place);
    let is_end = |place: &usize| {
        let (before, after) =
            (text.get(..=*place).unwrap_or(text), text.get(place + 1..).unwrap_or_default());
        let depth = before.matches('(').count().checked_sub(before.matches(')').count());
        let next = after.trim_start().chars().next();
        let is_new = before.ends_with(';') || next.is_none_or(|next| !next.is_lowercase());
        depth == Some(0) && is_new && (after.is_empty() || after.starts_with(' '))
    };
    let mut ends = ends.filter(is_end);
    let end = ends.next().map_or(text.len(), |place| place);
    text.get(..end).unwrap_or(text)
}

/// A word as a POSIX shell reads it, for commands that are meant to be copied.
pub(crate) fn quoted(word: &str) -> String {
    let is_plain = |shown: char| shown.is_alphanumeric() || "/._-:@%+,=".contains(shown);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        let word: String = word.chars().map(visible).collect();
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// `1 step`, `2 steps`.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// The counts that are not zero: `2 pass, 1 fail`.
pub(crate) fn counts(counts: impl Iterator<Item = (&'static str, u32)>) -> String {
    let present: Vec<String> =
        counts.filter(|(_, count)| *count != 0).map(|(name, count)| format!("{count} {name}")).collect();
    if present.is_empty() { "none".to_owned() } else { present.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_a_shell_would_split_or_expand_is_quoted() {
        for plain in ["p.toml", "../my-server.toml", "tcp://server.contoso.com:5060"] {
            assert_eq!(quoted(plain), plain);
        }
        assert_eq!(quoted("my server.toml"), "'my server.toml'");
        assert_eq!(quoted("tcp://[::1]:5060"), "'tcp://[::1]:5060'");
        assert_eq!(quoted("it's $HOME.toml"), r"'it'\''s $HOME.toml'");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn a_rule_is_told_by_its_first_sentence() {
        assert_eq!(first_sentence("Drop it. Answer nothing."), "Drop it");
        assert_eq!(
            first_sentence("Date: RFC 1123 (e.g. Sat. 1); else none."),
            "Date: RFC 1123 (e.g. Sat. 1)"
        );
        assert_eq!(first_sentence("As in 3.2.5.1 of it"), "As in 3.2.5.1 of it");
        assert_eq!(first_sentence("Use it, i.e. once. Then stop."), "Use it, i.e. once");
        assert_eq!(first_sentence(""), "");
    }

    #[test]
    fn a_paragraph_keeps_to_its_width_and_its_indent() {
        let told = wrapped("    rule  ", 10, &"words of a rule ".repeat(20));
        assert!(told.lines().all(|line| line.chars().count() <= WIDTH), "{told}");
        assert!(
            told.lines().skip(1).all(|line| line.starts_with("          w")
                || line.starts_with("          o")
                || line.starts_with("          a")
                || line.starts_with("          r")),
            "{told}"
        );
    }

    #[test]
    fn octets_are_shown_so_that_nothing_in_them_is_hidden() {
        assert_eq!(readable(b"a: 1\r\nb:\t2\nc\r\xff\x1b"), "a: 1\nb:\\t2\\n\nc\\r\\xff\\u{1b}");
        assert_eq!(escaped("one\r\n\u{202E}line"), "one\\r\\n\\u{202e}line");
    }

    #[test]
    fn what_moves_a_cursor_or_turns_a_line_around_is_made_visible() {
        assert_eq!(printable("a\u{1b}[2J\r\n\u{202E}b"), "a\u{FFFD}[2J\u{FFFD}\u{FFFD}\u{FFFD}b");
        assert_eq!(printable(&"x".repeat(300)).chars().count(), 201);
    }
}
