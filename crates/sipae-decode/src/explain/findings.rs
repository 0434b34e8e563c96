//! Findings of the core, with the place in the message shown.

use sipae::auth::AuthHeader;
use sipae::message::Message;
use sipae_spec::Diagnostic;

use super::rule;
use crate::model::Finding;
use crate::octets::{offset_in, shown, slice};

/// Octets of the line that are shown before the place and from it on.
const BEFORE: usize = 32;
const BEHIND: usize = 48;

pub(super) fn of_message(message: &Message<'_>) -> Vec<Finding> {
    let finding = |found: sipae::message::MessageFinding<'_>| {
        finding(found.diagnostic, found.header.name(), message, found.offset)
    };
    message.findings().into_iter().map(finding).collect()
}

pub(super) fn of_field(message: &Message<'_>, name: &str, header: &AuthHeader<'_>) -> Vec<Finding> {
    let start = offset_in(message.octets(), header.value().raw());
    let finding =
        |found: sipae::auth::Finding<'_>| finding(found.diagnostic, name, message, start + found.offset);
    header.findings().into_iter().map(finding).collect()
}

fn finding(diagnostic: Diagnostic, header: &str, message: &Message<'_>, offset: usize) -> Finding {
    let (excerpt, caret) = excerpt(message.octets(), offset);
    Finding {
        id: diagnostic.id().to_owned(),
        severity: diagnostic.severity().name().to_owned(),
        text: diagnostic.text().to_owned(),
        rule: rule(diagnostic.rule()),
        header: header.to_owned(),
        offset,
        excerpt,
        caret,
    }
}

/// The line around an offset, and the character of it that stands there.
fn excerpt(octets: &[u8], offset: usize) -> (String, usize) {
    let before = slice(octets, 0, offset);
    let line = before.iter().rposition(|octet| *octet == b'\n').map_or(0, |line_feed| line_feed + 1);
    let start = line.max(offset.saturating_sub(BEFORE));
    let behind = slice(octets, offset, offset + BEHIND);
    let end = behind.iter().position(|octet| matches!(octet, b'\r' | b'\n')).unwrap_or(behind.len());
    let head = format!("{}{}", if line < start { "..." } else { "" }, shown(slice(octets, start, offset)));
    let goes_on = end == BEHIND && octets.get(offset + end).is_some_and(|octet| *octet != b'\r');
    let tail = format!("{}{}", shown(slice(behind, 0, end)), if goes_on { "..." } else { "" });
    (format!("{head}{tail}"), head.chars().count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_stands_at_the_octet_however_it_is_shown() {
        assert_eq!(excerpt(b"a: b\r\nTo: \x01\x02x\r\n", 12), ("To: \\u{1}\\u{2}x".to_owned(), 14));
        let long = [&[b'x'; 40][..], &[b'y'; 60]].concat();
        let (excerpt, caret) = excerpt(&long, 40);
        assert!(excerpt.starts_with("...xxx") && excerpt.ends_with("yyy..."));
        assert_eq!(excerpt.chars().nth(caret), Some('y'));
    }
}
