//! Texts: as a template where that gives exactly the text, piece by piece otherwise.

use serde::{Deserialize, Serialize};

use super::octets::{from_hex, to_hex};
use crate::{Piece, Reference, Text};

/// A text as it is written.
#[derive(Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "expected a text, or a list of {\"literal\": text}, {\"hex\": digits} and \
                               {\"reference\": name.field}"
)]
pub(crate) enum WrittenText {
    Template(String),
    Pieces(Vec<WrittenPiece>),
}

/// A piece as it is written.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum WrittenPiece {
    Literal(String),
    Hex(String),
    Reference(String),
}

impl From<Text> for WrittenText {
    fn from(text: Text) -> Self {
        let template = text.to_string();
        if Text::of(&template) == text {
            Self::Template(template)
        } else {
            Self::Pieces(text.0.into_iter().map(WrittenPiece::from).collect())
        }
    }
}

impl TryFrom<WrittenText> for Text {
    type Error = String;

    fn try_from(written: WrittenText) -> Result<Self, String> {
        match written {
            WrittenText::Template(template) => Ok(Self::of(&template)),
            WrittenText::Pieces(pieces) => {
                pieces.into_iter().map(Piece::try_from).collect::<Result<_, _>>().map(Self)
            }
        }
    }
}

impl From<Piece> for WrittenPiece {
    fn from(piece: Piece) -> Self {
        match piece {
            Piece::Reference(reference) => Self::Reference(reference.to_string()),
            Piece::Literal(octets) => match String::from_utf8(octets) {
                Ok(text) => Self::Literal(text),
                Err(error) => Self::Hex(to_hex(error.as_bytes())),
            },
        }
    }
}

impl TryFrom<WrittenPiece> for Piece {
    type Error = String;

    fn try_from(written: WrittenPiece) -> Result<Self, String> {
        Ok(match written {
            WrittenPiece::Literal(text) => Self::Literal(text.into_bytes()),
            WrittenPiece::Hex(digits) => Self::Literal(from_hex(&digits)?),
            WrittenPiece::Reference(reference) => Self::Reference(
                Reference::from_text(&reference).ok_or_else(|| format!("unknown reference {reference:?}"))?,
            ),
        })
    }
}
