//! Text with references to what the peer chose.

use std::fmt;

use crate::Label;

/// Something that the peer chose, by the name of the association or answer it belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reference {
    /// The association or answer.
    pub of: Label,
    /// What of it.
    pub field: Field,
}

/// What can be referred to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// `opaque` of an association.
    Opaque,
    /// `realm` of an association.
    Realm,
    /// `targetname` of an association.
    Targetname,
    /// `gssapi-data` with which an association answers its CHALLENGE.
    Token,
    /// The tag of To in an answer.
    ToTag,
}

impl Field {
    const fn name(self) -> &'static str {
        match self {
            Self::Opaque => "opaque",
            Self::Realm => "realm",
            Self::Targetname => "targetname",
            Self::Token => "token",
            Self::ToTag => "to-tag",
        }
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Text(pub Vec<Piece>);

impl Text {
    /// A text that is one reference.
    #[must_use]
    pub fn reference(of: &Label, field: Field) -> Self {
        Self(vec![Piece::Reference(Reference { of: of.clone(), field })])
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

impl<T: AsRef<[u8]>> From<T> for Text {
    fn from(literal: T) -> Self {
        Self(vec![Piece::Literal(literal.as_ref().to_vec())])
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.of, self.field.name())
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
}
