//! XML by local names: whatever prefixes a client likes.

use roxmltree::{Document, Node, ParsingOptions};

use super::soap::Fault;

/// Most nodes of a document; a request has some forty.
const NODES: u32 = 2048;

/// Reads a document. One with a DTD is refused, so no entity has a meaning of its own.
///
/// # Errors
/// When it is none, with the place.
pub(super) fn read(text: &str) -> Result<Document<'_>, Fault> {
    let options = ParsingOptions { allow_dtd: false, nodes_limit: NODES, ..ParsingOptions::default() };
    Document::parse_with_options(text, options).map_err(|error| Fault::Xml(error.to_string()))
}

/// The first element of this name in another one.
pub(super) fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|child| is(*child, name))
}

/// Whether a node is an element of this name.
pub(super) fn is(node: Node<'_, '_>, name: &str) -> bool {
    node.is_element() && node.tag_name().name() == name
}

/// The attribute of this name.
pub(super) fn attribute<'a>(node: Node<'a, '_>, name: &str) -> Option<&'a str> {
    node.attributes().find(|attribute| attribute.name() == name).map(|attribute| attribute.value())
}

/// All text that stands right in an element.
pub(super) fn text(node: Node<'_, '_>) -> String {
    node.children().filter(Node::is_text).filter_map(|child| child.text()).collect()
}

/// Text as it may stand in an element and in an attribute.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'.. => {
                escaped.push(character);
            }
            // XML 1.0 has no way to write it.
            _ => escaped.push('\u{fffd}'),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_bounded_and_have_no_entities() {
        let bomb = "<!DOCTYPE a [<!ENTITY b \"bb\"><!ENTITY c \"&b;&b;\">]><a>&c;</a>";
        for text in [bomb, "<a>", "", "<a/><b/>", "<a b='1' b='2'/>"] {
            assert!(matches!(read(text), Err(Fault::Xml(_))), "{text}");
        }
        let deep = format!("{}{}", "<a>".repeat(9000), "</a>".repeat(9000));
        assert!(matches!(read(&deep), Err(Fault::Xml(_))));
    }

    #[test]
    fn what_is_escaped_is_read_again() {
        let text = "a<b>&\"c\u{1}";
        let document = format!("<a b=\"{0}\">{0}</a>", escape(text));
        let read = read(&document).unwrap();
        let expected = "a<b>&\"c\u{fffd}";
        assert_eq!(attribute(read.root_element(), "b"), Some(expected));
        assert_eq!(super::text(read.root_element()), expected);
    }
}
