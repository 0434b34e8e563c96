//! Signature buffers, [MS-SIPAE] 3.2.4.1.

use sipae_vectors::inputs::SipBuffer;
use sipae_vectors::{Answer, Refusal};

use crate::header::unfolded;

pub(crate) fn buffers(inputs: &SipBuffer) -> Result<Answer, Refusal> {
    let message = Message::read(&inputs.message)?;
    let buffers = ["2", "3", "4"].map(|version| (version, message.buffer(inputs, version == "2")));
    Ok(Answer::new().texts("buffers", buffers))
}

/// The covered values of a message.
struct Message {
    status: Option<String>,
    call_id: String,
    number: String,
    method: String,
    from: (String, String),
    to: (String, String),
    sip_identity: String,
    tel_identity: String,
    expires: String,
}

impl Message {
    fn read(text: &str) -> Result<Self, Refusal> {
        let head = text.split_once("\r\n\r\n").map_or(text, |(head, _)| head);
        let (start, fields) = head.split_once("\r\n").unwrap_or((head, ""));
        let fields = Fields::read(fields);
        let required = |name| fields.single(name)?.ok_or_else(|| malformed(&format!("no {name}")));
        let cseq = required("cseq")?;
        let (number, method) =
            cseq.split_once([' ', '\t']).ok_or_else(|| malformed("a CSeq without a method"))?;
        let identities = fields.identities();
        let identity =
            |schemes: &[&str]| identities.iter().find(|uri| is_of(uri, schemes)).cloned().unwrap_or_default();
        Ok(Self {
            status: start.strip_prefix("SIP/2.0 ").map(|rest| rest.chars().take(3).collect()),
            call_id: required("call-id")?,
            number: number.to_owned(),
            method: method.trim_start().to_owned(),
            from: address(&required("from")?),
            to: address(&required("to")?),
            sip_identity: identity(&["sip:", "sips:"]),
            tel_identity: identity(&["tel:"]),
            expires: fields.single("expires")?.unwrap_or_default(),
        })
    }

    /// Version 2 leaves out the URI of To and the identities; only responses have a status.
    fn buffer(&self, inputs: &SipBuffer, is_short: bool) -> String {
        let context = &inputs.context;
        let ((from_uri, from_tag), (to_uri, to_tag)) = (&self.from, &self.to);
        let mut elements =
            vec![&context.scheme, &context.rand, &context.num, &context.realm, &context.targetname];
        elements.extend([&self.call_id, &self.number, &self.method, from_uri, from_tag]);
        if !is_short {
            elements.push(to_uri);
        }
        elements.push(to_tag);
        if !is_short {
            elements.extend([&self.sip_identity, &self.tel_identity]);
        }
        elements.push(&self.expires);
        elements.extend(&self.status);
        elements.iter().map(|element| format!("<{element}>")).collect()
    }
}

/// Long names of the header fields that are read, and their compact forms.
const NAMES: &[(&str, &str)] = &[
    ("call-id", "i"),
    ("cseq", ""),
    ("expires", ""),
    ("from", "f"),
    ("p-asserted-identity", ""),
    ("p-preferred-identity", ""),
    ("to", "t"),
];

/// Header fields by their long names in lower case; those that nobody asks for are left out.
struct Fields(Vec<(&'static str, String)>);

impl Fields {
    fn read(text: &str) -> Self {
        let mut fields: Vec<(&'static str, String)> = Vec::new();
        let mut is_kept = false;
        for line in text.split("\r\n") {
            if line.starts_with([' ', '\t']) {
                if let Some((_, value)) = fields.last_mut().filter(|_| is_kept) {
                    value.extend(["\r\n", line]);
                }
                continue;
            }
            let field = line.split_once(':').and_then(|(name, value)| Some((long(name)?, value.to_owned())));
            is_kept = field.is_some();
            fields.extend(field);
        }
        for (_, value) in &mut fields {
            *value = unfolded(value).trim().to_owned();
        }
        Self(fields)
    }

    fn all<'f>(&'f self, name: &'f str) -> impl Iterator<Item = &'f str> {
        self.0.iter().filter(move |(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    /// No copy is chosen where there are two (SIPAE-2.2-21).
    fn single(&self, name: &str) -> Result<Option<String>, Refusal> {
        let mut values = self.all(name);
        match (values.next(), values.next()) {
            (value, None) => Ok(value.map(str::to_owned)),
            _ => Err(malformed(&format!("two {name}"))),
        }
    }

    /// The URIs of the asserted identities, and of the preferred ones where there are none (SIPAE-3.2.4.2-05).
    fn identities(&self) -> Vec<String> {
        let of = |name| self.all(name).flat_map(|value| split(value, b',')).map(identity).collect();
        let asserted: Vec<String> = of("p-asserted-identity");
        if asserted.is_empty() { of("p-preferred-identity") } else { asserted }
    }
}

fn long(name: &str) -> Option<&'static str> {
    let is = |known: &str| name.trim().eq_ignore_ascii_case(known);
    NAMES.iter().find(|(long, compact)| is(long) || !compact.is_empty() && is(compact)).map(|(long, _)| *long)
}

fn is_of(uri: &str, schemes: &[&str]) -> bool {
    schemes
        .iter()
        .any(|scheme| uri.get(..scheme.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(scheme)))
}

/// URI and tag: header parameters stand behind the brackets, or behind the first semicolon without any.
fn address(value: &str) -> (String, String) {
    let mut parts = split(value, b';').into_iter();
    let first = parts.next().unwrap_or_default();
    let (uri, behind) = bracket(first).unwrap_or((first.trim(), ""));
    let params = split(behind, b';').into_iter().chain(parts);
    let mut tags = params.filter_map(|param| {
        let (name, value) = param.split_once('=')?;
        name.trim().eq_ignore_ascii_case("tag").then(|| value.trim())
    });
    (uri.to_owned(), tags.next().unwrap_or_default().to_owned())
}

/// Identity fields have no parameters of their own: without brackets the value is the URI (SIPAE-3.2.4.2-04).
fn identity(value: &str) -> String {
    bracket(value).map_or_else(|| value.trim(), |(uri, _)| uri).to_owned()
}

/// What stands inside the first brackets that no display name holds, and what stands behind them.
fn bracket(text: &str) -> Option<(&str, &str)> {
    let open = places(text).find(|(_, octet, is_outside)| *octet == b'<' && *is_outside)?.0;
    text.get(open + 1..)?.split_once('>')
}

/// The parts between separators that stand outside quotation marks and brackets.
fn split(text: &str, separator: u8) -> Vec<&str> {
    let (mut parts, mut begin, mut is_inside) = (Vec::new(), 0, false);
    for (place, octet, is_outside) in places(text).filter(|(_, _, is_outside)| *is_outside) {
        match octet {
            b'<' if is_outside => is_inside = true,
            b'>' => is_inside = false,
            _ if octet == separator && !is_inside => {
                parts.extend(text.get(begin..place));
                begin = place + 1;
            }
            _ => {}
        }
    }
    parts.extend(text.get(begin..));
    parts
}

/// Octets with their places, and whether they stand outside quotation marks. Brackets hold no quoted text.
fn places(text: &str) -> impl Iterator<Item = (usize, u8, bool)> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    text.bytes().enumerate().map(move |(place, octet)| {
        let is_outside = !is_quoted;
        match octet {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_quoted => is_escaped = true,
            b'"' => is_quoted = !is_quoted,
            _ => {}
        }
        (place, octet, is_outside)
    })
}

fn malformed(problem: &str) -> Refusal {
    Refusal::Malformed(format!("message: {problem}"))
}
