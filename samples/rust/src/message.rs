//! Signature buffers, [MS-SIPAE] 3.2.4.1.

use sipae_vectors::inputs::SipBuffer;
use sipae_vectors::{Answer, Refusal};

use crate::header::unfolded;

/// Long names and their compact forms.
const COMPACT: &[(&str, &str)] = &[("call-id", "i"), ("from", "f"), ("to", "t")];

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

/// Header fields by name in lower case.
struct Fields(Vec<(String, String)>);

impl Fields {
    fn read(text: &str) -> Self {
        let text = text.replace("\r\n ", "\r\n\t");
        let mut fields: Vec<(String, String)> = Vec::new();
        for line in text.split("\r\n") {
            match (line.strip_prefix('\t'), fields.last_mut()) {
                (Some(more), Some((_, value))) => value.extend(["\r\n ", more]),
                _ => fields.extend(line.split_once(':').map(|(name, value)| (long(name), value.to_owned()))),
            }
        }
        Self(fields.into_iter().map(|(name, value)| (name, unfolded(&value).trim().to_owned())).collect())
    }

    fn all<'f>(&'f self, name: &'f str) -> impl Iterator<Item = &'f str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
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
        let of =
            |name| self.all(name).flat_map(|value| split(value, ',')).map(|value| identity(&value)).collect();
        let asserted: Vec<String> = of("p-asserted-identity");
        if asserted.is_empty() { of("p-preferred-identity") } else { asserted }
    }
}

fn long(name: &str) -> String {
    let name = name.trim().to_ascii_lowercase();
    let long = COMPACT.iter().find(|(_, compact)| *compact == name);
    long.map_or(name, |(long, _)| (*long).to_owned())
}

fn is_of(uri: &str, schemes: &[&str]) -> bool {
    schemes
        .iter()
        .any(|scheme| uri.get(..scheme.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(scheme)))
}

/// URI and tag: header parameters stand behind the brackets, or behind the first semicolon without any.
fn address(value: &str) -> (String, String) {
    let mut parts = split(value, ';').into_iter();
    let first = parts.next().unwrap_or_default();
    let (uri, behind) = match bracket(&first) {
        Some((uri, behind)) => (uri, behind),
        None => (first.trim().to_owned(), String::new()),
    };
    let params = split(&behind, ';').into_iter().chain(parts);
    let tag = params.filter_map(|param| {
        let (name, value) = param.split_once('=')?;
        name.trim().eq_ignore_ascii_case("tag").then(|| value.trim().to_owned())
    });
    (uri, tag.take(1).collect())
}

/// Identity fields have no parameters of their own: without brackets the value is the URI (SIPAE-3.2.4.2-04).
fn identity(value: &str) -> String {
    bracket(value).map_or_else(|| value.trim().to_owned(), |(uri, _)| uri)
}

/// What stands inside the first brackets that no display name holds, and what stands behind them.
fn bracket(text: &str) -> Option<(String, String)> {
    let open = places(text).find(|(_, character, is_outside)| *character == '<' && *is_outside)?.0;
    let (uri, behind) = text.get(open + 1..)?.split_once('>')?;
    Some((uri.to_owned(), behind.to_owned()))
}

/// The parts between separators that stand outside quotation marks and brackets.
fn split(text: &str, separator: char) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut is_inside = false;
    for (_, character, is_outside) in places(text) {
        is_inside = match character {
            '<' if is_outside => true,
            '>' if is_outside => false,
            _ => is_inside,
        };
        match parts.last_mut() {
            Some(part) if character != separator || !is_outside || is_inside => part.push(character),
            _ => parts.push(String::new()),
        }
    }
    parts
}

/// Characters with their places, and whether they stand outside quotation marks. Brackets hold no quoted text.
fn places(text: &str) -> impl Iterator<Item = (usize, char, bool)> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    text.char_indices().map(move |(place, character)| {
        let is_outside = !is_quoted;
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            _ => {}
        }
        (place, character, is_outside)
    })
}

fn malformed(problem: &str) -> Refusal {
    Refusal::Malformed(format!("message: {problem}"))
}
