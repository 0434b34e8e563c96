//! Diagnostics: what a reader may remark about octets that it has read, one row each.
//!
//! A diagnostic says *which rule* the octets do not keep; the reader adds *where* and the octets themselves.

use core::fmt;

/// How much a diagnostic weighs for the field or message it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Legal, but unusual or different between products.
    Note,
    /// A rule is broken; the meaning is still plain and the field is used.
    Deviation,
    /// The field or message is not to be used.
    Malformed,
}

impl Severity {
    /// Lower-case name, as reports and vectors print it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Deviation => "deviation",
            Self::Malformed => "malformed",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

macro_rules! diagnostics {
    ($($variant:ident $id:literal $rule:literal $severity:ident $text:literal;)*) => {
        /// One remark that a reader can make, see [`Diagnostic::text`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Diagnostic {
            $(#[doc = concat!($text, " (", $rule, ").")] $variant,)*
        }

        impl Diagnostic {
            /// Every diagnostic, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Stable name, as vectors and reports print it.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Self::$variant => $id,)* }
            }

            /// The rule that is not kept: a requirement id (`SIPAE-2.2-05`) or a clause of another document.
            #[must_use]
            pub const fn rule(self) -> &'static str {
                match self { $(Self::$variant => $rule,)* }
            }

            /// What it means for the field or message.
            #[must_use]
            pub const fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)* }
            }

            /// One lower-case sentence fragment without a full stop.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    };
}

diagnostics! {
    // Authentication header fields, [MS-SIPAE] 2.2.
    SchemeMissing "scheme-missing" "SIPAE-2.2-01" Malformed "the value does not begin with a scheme";
    SchemeUnknown "scheme-unknown" "SIPAE-2.2-01" Note "the scheme is none of NTLM, Kerberos, TLS-DSK, Digest; the field is skipped";
    SchemeSpelling "scheme-spelling" "SIPAE-2.2-01" Deviation "the scheme is not written in its canonical letter case";
    ParamNameMalformed "param-name-malformed" "SIPAE-2.2-02" Malformed "a parameter name is not a token";
    ParamValueMissing "param-value-missing" "SIPAE-2.2-02" Malformed "a parameter has no value";
    QuoteUnterminated "quote-unterminated" "SIPAE-2.2-05" Malformed "a quoted value has no closing quote";
    TextAfterQuote "text-after-quote" "SIPAE-2.2-04" Malformed "text stands between the closing quote and the next comma";
    CommaMissing "comma-missing" "RFC 3261 25.1" Deviation "two parameters are not separated by a comma";
    ElementEmpty "element-empty" "RFC 3261 25.1" Deviation "a list element is empty";
    ParamDuplicate "param-duplicate" "SIPAE-2.2-16" Malformed "a parameter occurs twice; the first occurrence is kept";
    ParamsTooMany "params-too-many" "SIPAE-3.3.5.3-22" Malformed "the field has more parameters than are looked at";
    BlankAroundEquals "blank-around-equals" "RFC 3261 25.1" Note "blanks stand around the equals sign, where some products do not find the value";
    ValueNotToken "value-not-token" "RFC 3261 25.1" Deviation "an unquoted value holds characters that need quotes";
    ValueUnquoted "value-unquoted" "[MS-SIPAE] 2.2" Deviation "a value that is written in quotes stands without them";
    BackslashLiteral "backslash-literal" "SIPAE-2.2-04" Note "a backslash is an ordinary character here";
    FoldInValue "fold-in-value" "RFC 3261 7.3.1" Note "a line is folded inside a value; the fold reads as one blank";
    VersionQuoted "version-quoted" "SIPAE-2.2-06" Deviation "version is written in quotes";
    VersionMalformed "version-malformed" "SIPAE-2.2-06" Malformed "version is not a decimal number";
    TokenNotBase64 "token-not-base64" "SIPAE-2.2-08" Malformed "gssapi-data is not standard Base64";
    RandLength "rand-length" "SIPAE-2.2-09" Deviation "crand or srand has not eight digits";
    RandNotHex "rand-not-hex" "SIPAE-2.2-09" Malformed "crand or srand is not hexadecimal";
    NumberMalformed "number-malformed" "SIPAE-2.2-10" Malformed "cnum or snum is not a decimal number from 1 to 4294967295";
    NumberZeroPadded "number-zero-padded" "SIPAE-2.2-10" Note "cnum or snum has leading zeros";
    SignatureNotHex "signature-not-hex" "SIPAE-2.2-11" Malformed "response or rspauth is not an even number of hexadecimal digits";
    QopNotAuth "qop-not-auth" "SIPAE-2.2-19" Malformed "qop is not auth";
    StsUriMisplaced "sts-uri-misplaced" "SIPAE-2.2-18" Deviation "sts-uri stands outside a TLS-DSK challenge";
    TargetnameForm "targetname-form" "SIPAE-2.2-13" Deviation "targetname is sip/ and a host name for Kerberos, a host name for NTLM and TLS-DSK";

    // Messages, RFC 3261 and the header facts that signing needs.
    HeaderMissing "header-missing" "RFC 3261 8.1.1" Deviation "a mandatory header field is absent";
    HeaderDuplicate "header-duplicate" "SIPAE-2.2-21" Malformed "a header field that may occur once occurs again";
    NameAddrMalformed "name-addr-malformed" "RFC 3261 20.10" Malformed "an address has no readable URI";
    NameAddrWithoutBrackets "name-addr-without-brackets" "RFC 3261 20.10" Deviation "a URI after a display name, or one with its own parameters, stands without angle brackets";
    NameAddrSeveral "name-addr-several" "SIPAE-2.2-26" Malformed "From or To holds more than one address";
    AngleInValue "angle-in-value" "SIPAE-2.2-27" Note "a value that is signed holds an angle bracket, so the signature buffer is ambiguous";
    FromTagMissing "from-tag-missing" "RFC 3261 8.1.1.3" Deviation "From has no tag";
    EpidMalformed "epid-malformed" "[MS-SIPRE] 2.2.7" Deviation "epid is empty or holds a character outside its grammar";
    EpidTooLong "epid-too-long" "SIPAE-3.3.5.2-06" Deviation "epid is longer than 16 characters";
    InstanceMismatch "instance-mismatch" "SIPAE-3.3.5.2-04" Deviation "+sip.instance is not the UUID derived from epid";
    CSeqMalformed "cseq-malformed" "RFC 3261 20.16" Malformed "CSeq is not a number and a method";
    CSeqMethodMismatch "cseq-method-mismatch" "SIPAE-3.2.5.2-24" Malformed "the method in CSeq is not the method of the start line";
    ViaBranchMissing "via-branch-missing" "RFC 3261 8.1.1.7" Deviation "the topmost Via has no branch that begins with z9hG4bK";
    ContentLengthMissing "content-length-missing" "RFC 3261 18.3" Deviation "a message on a stream has no Content-Length";
}

impl Diagnostic {
    /// The diagnostic with this [`id`](Self::id).
    #[must_use]
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|diagnostic| diagnostic.id() == id)
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_diagnostic_is_found_by_its_id_and_no_other() {
        for diagnostic in Diagnostic::ALL {
            assert_eq!(Diagnostic::from_id(diagnostic.id()), Some(*diagnostic));
        }
    }
}
