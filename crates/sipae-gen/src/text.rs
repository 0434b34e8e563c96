//! Text with references to what the peer chose.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Label;
use crate::written::WrittenText;

/// Something that the peer chose, by the name of the association or answer it belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reference {
    /// The association or answer.
    pub of: Label,
    /// What of it.
    pub field: Field,
}

impl Reference {
    /// What `sa.opaque` refers to.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let (of, field) = text.rsplit_once('.')?;
        Some(Self { of: Label::new(of), field: Field::from_name(field)? })
    }
}

/// What can be referred to. The last ones are those of a party: what the suite chose when the script began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// `opaque` of an association.
    Opaque,
    /// `nonce` of a Digest challenge.
    Nonce,
    /// The scheme of an association, as it is written.
    Scheme,
    /// The same in lower case.
    SchemeLower,
    /// The same with one capital letter.
    SchemeCapitalised,
    /// `realm` of an association.
    Realm,
    /// `targetname` of an association.
    Targetname,
    /// The same without the service of Kerberos before it: the name of the server.
    Server,
    /// `gssapi-data` with which an association answers its CHALLENGE.
    Token,
    /// The tag of To in an answer.
    ToTag,
    /// The address-of-record of a party, without scheme.
    Address,
    /// The host of that address.
    Host,
    /// The epid of a party.
    Epid,
    /// The UUID of its `+sip.instance`.
    Instance,
    /// Its GRUU.
    Gruu,
    /// The From tag of its REGISTERs.
    Tag,
    /// The Call-ID of its REGISTERs.
    CallId,
}

impl Field {
    const NAMED: [(Self, &'static str); 17] = [
        (Self::Opaque, "opaque"),
        (Self::Nonce, "nonce"),
        (Self::Scheme, "scheme"),
        (Self::SchemeLower, "scheme-lower"),
        (Self::SchemeCapitalised, "scheme-capitalised"),
        (Self::Realm, "realm"),
        (Self::Targetname, "targetname"),
        (Self::Server, "server"),
        (Self::Token, "token"),
        (Self::ToTag, "to-tag"),
        (Self::Address, "address"),
        (Self::Host, "host"),
        (Self::Epid, "epid"),
        (Self::Instance, "instance"),
        (Self::Gruu, "gruu"),
        (Self::Tag, "tag"),
        (Self::CallId, "call-id"),
    ];

    fn name(self) -> &'static str {
        Self::NAMED.iter().find(|(field, _)| *field == self).map_or("", |(_, name)| name)
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::NAMED.iter().find(|(_, known)| *known == name).map(|(field, _)| *field)
    }
}

/// A part of a text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Piece {
    /// What we chose.
    Literal(Vec<u8>),
    /// What the peer chose.
    Reference(Reference),
}

/// A text: its pieces one behind the other.
#[derive(Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "WrittenText", into = "WrittenText")]
pub struct Text(pub Vec<Piece>);

impl Text {
    /// A text that is one reference.
    #[must_use]
    pub fn reference(of: &Label, field: Field) -> Self {
        Self(vec![Piece::Reference(Reference { of: of.clone(), field })])
    }

    /// A text in which `{name.field}` stands for what the peer chose, or for what a party is: `{sa.opaque}`,
    /// `{peer.address}`. Braces around anything else are braces.
    #[must_use]
    pub fn of(template: &str) -> Self {
        let (mut pieces, mut rest) = (Vec::new(), template);
        while let Some((before, reference, after)) = next_reference(rest) {
            pieces.extend(literal(before.as_bytes()));
            pieces.push(Piece::Reference(reference));
            rest = after;
        }
        pieces.extend(literal(rest.as_bytes()));
        Self(pieces)
    }

    /// The octets, with `resolve` for the references.
    ///
    /// # Errors
    /// The first reference that cannot be resolved.
    pub fn resolve(&self, resolve: impl Fn(&Reference) -> Option<Vec<u8>>) -> Result<Vec<u8>, Reference> {
        let mut octets = Vec::new();
        for piece in &self.0 {
            match piece {
                Piece::Literal(literal) => octets.extend_from_slice(literal),
                Piece::Reference(reference) => {
                    octets.extend(resolve(reference).ok_or_else(|| reference.clone())?);
                }
            }
        }
        Ok(octets)
    }
}

/// No piece is empty, so that one text is written in one way.
fn literal(octets: &[u8]) -> Option<Piece> {
    (!octets.is_empty()).then(|| Piece::Literal(octets.to_vec()))
}

/// The text before the first reference, the reference, and the text behind it. Each octet is looked at once or twice,
/// whatever the text.
fn next_reference(text: &str) -> Option<(&str, Reference, &str)> {
    let mut from = 0;
    loop {
        let (between, _) = text.get(from..)?.split_once('}')?;
        let close = from + between.len();
        if let Some((_, inner)) = between.rsplit_once('{')
            && let Some(reference) = Reference::from_text(inner)
        {
            let open = close - inner.len() - 1;
            return Some((text.get(..open)?, reference, text.get(close + 1..)?));
        }
        from = close + 1;
    }
}

impl<T: AsRef<[u8]>> From<T> for Text {
    fn from(octets: T) -> Self {
        Self(literal(octets.as_ref()).into_iter().collect())
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.of, self.field.name())
    }
}

/// As [`Text::of`] reads it, in quotation marks: steps are told to people with it.
impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_string())
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in &self.0 {
            match piece {
                Piece::Literal(literal) => f.write_str(&String::from_utf8_lossy(literal))?,
                Piece::Reference(reference) => write!(f, "{{{reference}}}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_that_cannot_be_resolved_is_named() {
        let text = Text::reference(&Label::new("sa1"), Field::Opaque);
        let missing = text.resolve(|_| None).expect_err("nothing to resolve it with");
        assert_eq!(missing.to_string(), "sa1.opaque");
        assert_eq!(text.resolve(|_| Some(b"1A2B".to_vec())), Ok(b"1A2B".to_vec()));
    }

    #[test]
    fn a_template_refers_to_what_it_names_in_braces_and_to_nothing_else() {
        let text = Text::of("<sip:{peer.address}>;x={y};opaque={sa.opaque}");
        let resolved = text.resolve(|reference| Some(reference.to_string().into_bytes()));
        assert_eq!(resolved, Ok(b"<sip:peer.address>;x={y};opaque=sa.opaque".to_vec()));
        assert_eq!(text.to_string(), "<sip:{peer.address}>;x={y};opaque={sa.opaque}");
        assert_eq!(Text::of("{").to_string(), "{");
    }
}
