//! Changes to messages.

use serde::{Deserialize, Serialize};
use sipae::auth::AuthParam;
use sipae::message::HeaderName;

use crate::{OctetEdit, Text, written};

/// A change to a message. It is made to the message as it stands: before or after it is signed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Edit {
    /// Gives the first field of this name another value, or adds it.
    SetHeader(#[serde(with = "written::name")] HeaderName, Text),
    /// Adds a header field: in front of all others, or behind them.
    AddHeader {
        /// Its name, in any spelling.
        name: String,
        /// Its value.
        value: Text,
        /// In front of all others.
        #[serde(default, skip_serializing_if = "written::is_default")]
        first: bool,
    },
    /// Removes every field of this name.
    RemoveHeader(#[serde(with = "written::name")] HeaderName),
    /// Writes the first field of this name with another spelling of the name.
    RenameHeader(#[serde(with = "written::name")] HeaderName, String),
    /// Replaces the first occurrence of a text in the first field of this name.
    Replace {
        /// The field.
        #[serde(with = "written::name")]
        header: HeaderName,
        /// What is replaced; where it does not occur the script ends.
        from: Text,
        /// What stands there then.
        to: Text,
    },
    /// Writes the first occurrence of a text in the first field of this name in upper case; where it does not occur the
    /// script ends.
    UpperCase {
        /// The field.
        #[serde(with = "written::name")]
        header: HeaderName,
        /// The text.
        text: Text,
    },
    /// Another Request-URI.
    RequestUri(Text),
    /// Another method in the request line.
    Method(String),
    /// Another status code in a status line; the reason phrase stays.
    Status(u16),
    /// Another user in Request-URI and To, at the same host: the text goes before the host, `sip:nobody@`.
    ReplaceUser(String),
    /// Another From tag, as some clients take for each REGISTER.
    FromTag(String),
    /// Another body, with its length.
    Body {
        /// Content-Type.
        content_type: String,
        /// The octets.
        #[serde(with = "written::octets")]
        octets: Vec<u8>,
    },
    /// Changes a parameter of the credential.
    Param(#[serde(with = "written::name")] AuthParam, ParamEdit),
    /// Adds a parameter to the credential, in front of or behind the others.
    AddParam {
        /// Its name, in any spelling.
        name: String,
        /// Its value.
        value: Text,
        /// In front of the others.
        #[serde(default, skip_serializing_if = "written::is_default")]
        first: bool,
    },
    /// Replaces the first occurrence of a text in the credential, whatever its header field.
    Credential {
        /// What is replaced; where it does not occur the script ends.
        from: Text,
        /// What stands there then.
        to: Text,
    },
    /// Writes these parameters of the credential first, in this order.
    OrderParams(#[serde(with = "written::names")] Vec<AuthParam>),
    /// Writes every parameter name of the credential in upper case, and in reverse order.
    ReshapeCredential,
    /// Writes the scheme of the credential in another way.
    Scheme(Text),
    /// Carries the credential in this field.
    CredentialHeader(#[serde(with = "written::name")] HeaderName),
    /// Puts the credential behind copies of it that are for others: their realm differs.
    CrowdCredential {
        /// How many.
        others: usize,
    },
    /// Gives the message another Via branch: a new SIP transaction with the same signed octets.
    Branch,
    /// Octets in front of the start line.
    Before(#[serde(with = "written::octets")] Vec<u8>),
    /// Replaces the first occurrence of a text in the octets as they go out, after all other changes; where it does not
    /// occur the script ends.
    Octets {
        /// What is replaced.
        from: Text,
        /// What stands there then.
        to: Text,
    },
    /// Puts every field of this name in front of all others, or behind them.
    MoveHeader(#[serde(with = "written::name")] HeaderName, Place),
    /// Turns the target's signature that the message has into a credential, as if the suite had made it.
    Reflect,
}

/// Where something is put.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// In front of all others.
    First,
    /// Behind all others.
    Last,
}

/// A change to a parameter of a credential.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ParamEdit {
    /// Another value.
    Set(Text),
    /// No parameter.
    Remove,
    /// A second parameter of the same name, behind this one.
    Repeat(Text),
    /// A second parameter of the same name, in front of this one.
    Precede(Text),
    /// Another spelling of its name.
    Rename(String),
    /// A text behind so many octets of the value.
    Insert(usize, Text),
    /// Upper case.
    UpperCase,
    /// Without quotation marks.
    Unquoted,
    /// In quotation marks.
    Quoted,
    /// What stands between the comma, or the scheme, and its name: blanks and folds, in place of those that are there.
    Lead(String),
    /// A change to the octets that stand there in Base64; where they have no such place the script ends.
    Octets(OctetEdit),
    /// Another last digit.
    ChangeLastDigit,
    /// The octets that the hexadecimal digits stand for in Base64.
    AsBase64,
    /// Only so many characters of it.
    Truncate(usize),
    /// One bit of the octets that the hexadecimal digits stand for, outside version, pad and sequence number of an
    /// NTLM signature: the least change that every form of signature must refuse.
    FlipBit,
    /// One bit of the hexadecimal digit at this place.
    FlipBitAt(usize),
    /// One bit of the hexadecimal digit at this place from the end: 1 is the last one.
    FlipBitBack(usize),
    /// One bit of the last octet of what stands there in Base64.
    FlipLastOctet,
}
