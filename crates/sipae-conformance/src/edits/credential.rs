//! Credentials as they are written: what a change does not name keeps its octets.

use std::borrow::Cow;

use sipae::auth::{AuthParam, RawParam, Step, Walk};
use sipae::encoding::{decode_base16, decode_base64, encode_base64};
use sipae::message::Value;
use sipae_gen::ParamEdit;

use super::Broken;

/// A parameter, and what stands in front of it.
#[derive(Clone, Debug)]
struct Written<'v> {
    /// From the end of the one before, or of the scheme: comma, blanks, and what could not be read.
    lead: Cow<'v, [u8]>,
    name: Cow<'v, [u8]>,
    /// The equals sign, and the blanks around it.
    equals: Cow<'v, [u8]>,
    value: Cow<'v, [u8]>,
    is_quoted: bool,
}

const SEPARATOR: &[u8] = b", ";

impl<'v> Written<'v> {
    fn new(name: &str, value: &[u8]) -> Self {
        let is_bare = AuthParam::from_octets(name.as_bytes()).is_some_and(|param| !param.is_quoted());
        let [lead, equals] = [SEPARATOR, b"="].map(Cow::Borrowed);
        let [name, value] = [name.as_bytes(), value].map(|text| Cow::Owned(text.to_vec()));
        Self { lead, name, equals, value, is_quoted: !is_bare }
    }

    fn is(&self, param: AuthParam) -> bool {
        AuthParam::from_octets(&self.name) == Some(param)
    }

    /// Another one of the same name.
    fn beside(&self, value: &[u8]) -> Self {
        Self { value: value.to_vec().into(), lead: SEPARATOR.into(), ..self.clone() }
    }

    fn write(&self, out: &mut Vec<u8>) {
        let quote: &[u8] = if self.is_quoted { b"\"" } else { b"" };
        for part in [&*self.lead, &*self.name, &*self.equals, quote, &*self.value, quote] {
            out.extend_from_slice(part);
        }
    }
}

/// A credential in its parts: what no change has touched is borrowed.
#[derive(Clone, Debug)]
pub(super) struct Credential<'v> {
    scheme: Cow<'v, [u8]>,
    params: Vec<Written<'v>>,
    /// What comes behind the last parameter.
    rest: &'v [u8],
}

/// Parameters that most credentials do with; together they are below 1 KiB, which allocators give out of hand.
const ROOM: usize = 9;

impl<'v> Credential<'v> {
    pub(super) fn read(value: &'v [u8]) -> Self {
        let (scheme, walk) = Walk::new(Value(value));
        let start = place(value, scheme) + scheme.len();
        let (mut params, mut end) = (Vec::with_capacity(ROOM), start);
        for step in walk {
            let Step::Param(raw) = step else { continue };
            let (written, behind) = written(value, &raw, end);
            params.push(written);
            end = behind;
        }
        let scheme = value.get(..start).unwrap_or_default().into();
        Self { scheme, params, rest: value.get(end..).unwrap_or_default() }
    }

    pub(super) fn write(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(512);
        out.extend_from_slice(&self.scheme);
        self.params.iter().for_each(|param| param.write(&mut out));
        out.extend_from_slice(self.rest);
        out
    }

    pub(super) fn set_scheme(&mut self, scheme: &[u8]) {
        self.scheme = scheme.to_vec().into();
    }

    /// Adds a parameter, in front of the others or behind them.
    pub(super) fn add(&mut self, name: &str, value: &[u8], is_first: bool) {
        let mut added = Written::new(name, value);
        match self.params.first_mut().filter(|_| is_first) {
            Some(first) => {
                std::mem::swap(&mut added.lead, &mut first.lead);
                self.params.insert(0, added);
            }
            None => self.params.push(added),
        }
    }

    /// The parameters in another order, at the places that there are.
    fn rearrange(&mut self, arrange: impl FnOnce(&mut Vec<Written<'v>>)) {
        let leads: Vec<Cow<'v, [u8]>> = self.params.iter().map(|param| param.lead.clone()).collect();
        arrange(&mut self.params);
        for (param, lead) in self.params.iter_mut().zip(leads) {
            param.lead = lead;
        }
    }

    /// The parameters of `order` first; the others behind them, as they stood.
    pub(super) fn reorder(&mut self, order: &[AuthParam]) {
        let rank = |written: &Written<'_>| {
            let known = AuthParam::from_octets(&written.name);
            order.iter().position(|param| Some(*param) == known).unwrap_or(order.len())
        };
        self.rearrange(|params| params.sort_by_cached_key(rank));
    }

    /// Names in upper case, in reverse order.
    pub(super) fn reshape(&mut self) {
        self.rearrange(|params| {
            params.reverse();
            params.iter_mut().for_each(|param| param.name.to_mut().make_ascii_uppercase());
        });
    }

    /// Changes every parameter of this name.
    ///
    /// # Errors
    /// Why the change cannot be made.
    pub(super) fn edit(&mut self, param: AuthParam, change: &ParamEdit, value: &[u8]) -> Result<(), Broken> {
        let mut edited: Vec<Written<'_>> = Vec::with_capacity(self.params.len() + 1);
        for written in std::mem::take(&mut self.params) {
            if written.is(param) {
                edited.extend(changed(written, change, value)?);
            } else {
                edited.push(written);
            }
        }
        if let Some(first) = edited.first_mut().filter(|first| first.lead.starts_with(b",")) {
            first.lead = b" "[..].into();
        }
        self.params = edited;
        Ok(())
    }
}

/// Where a part of a text begins in it.
fn place(text: &[u8], part: &[u8]) -> usize {
    part.as_ptr().addr().saturating_sub(text.as_ptr().addr())
}

/// A parameter that begins behind `end`, and where it ends.
fn written<'v>(text: &'v [u8], raw: &RawParam<'v>, end: usize) -> (Written<'v>, usize) {
    let part = |from: usize, to: usize| Cow::Borrowed(text.get(from..to).unwrap_or_default());
    let start = place(text, raw.name);
    let value = place(text, raw.value.raw());
    let quote = usize::from(raw.quoted);
    let written = Written {
        lead: part(end, start),
        name: raw.name.into(),
        equals: part(start + raw.name.len(), value.saturating_sub(quote)),
        value: raw.value.raw().into(),
        is_quoted: raw.quoted,
    };
    (written, (value + raw.value.raw().len() + quote).min(text.len()))
}

fn changed<'v>(
    mut written: Written<'v>,
    change: &ParamEdit,
    value: &[u8],
) -> Result<Vec<Written<'v>>, Broken> {
    let text = &mut written.value;
    match change {
        ParamEdit::Remove => return Ok(vec![]),
        ParamEdit::Set(_) => *text = value.to_vec().into(),
        ParamEdit::Repeat(_) => {
            let repeated = written.beside(value);
            return Ok(vec![written, repeated]);
        }
        ParamEdit::Precede(_) => {
            let mut first = written.beside(value);
            std::mem::swap(&mut first.lead, &mut written.lead);
            return Ok(vec![first, written]);
        }
        ParamEdit::Rename(name) => written.name = name.as_bytes().to_vec().into(),
        ParamEdit::Insert(place, _) => {
            let place = (*place).min(text.len());
            drop(text.to_mut().splice(place..place, value.iter().copied()));
        }
        ParamEdit::UpperCase => text.to_mut().make_ascii_uppercase(),
        ParamEdit::Unquoted => written.is_quoted = false,
        ParamEdit::Quoted => written.is_quoted = true,
        ParamEdit::Lead(lead) => {
            let written_lead = written.lead.to_mut();
            written_lead.retain(|octet| *octet == b',');
            written_lead.extend_from_slice(lead.as_bytes());
        }
        ParamEdit::Octets(edit) => {
            let mut octets = decode_base64(text).ok_or("the parameter is no Base64")?;
            if !edit.apply(&mut octets) {
                return Err(format!("the token has no place for {edit:?}"));
            }
            *text = encode_base64(&octets).into_bytes().into();
        }
        ParamEdit::AsBase64 => {
            *text = encode_base64(&decode_base16(text).unwrap_or_default()).into_bytes().into();
        }
        ParamEdit::Truncate(length) => text.to_mut().truncate(*length),
        ParamEdit::FlipLastOctet => {
            let mut octets = decode_base64(text).unwrap_or_default();
            if let Some(last) = octets.last_mut() {
                *last ^= 1;
            }
            *text = encode_base64(&octets).into_bytes().into();
        }
        ParamEdit::FlipBit => flip_digit(text.to_mut(), CHECKSUM_DIGIT),
        ParamEdit::FlipBitAt(place) => flip_digit(text.to_mut(), *place),
        ParamEdit::FlipBitBack(back) => {
            let place = text.len().saturating_sub(*back);
            flip_digit(text.to_mut(), place);
        }
        ParamEdit::ChangeLastDigit => {
            if let Some(last) = text.to_mut().last_mut() {
                *last = if *last == b'0' { b'1' } else { b'0' };
            }
        }
    }
    Ok(vec![written])
}

/// In the ninth octet of an NTLM signature: part of the checksum in both of its forms, behind the pad.
const CHECKSUM_DIGIT: usize = 17;

fn flip_digit(text: &mut [u8], place: usize) {
    let place = place.min(text.len().saturating_sub(1));
    let Some(digit) = text.get_mut(place) else { return };
    let value = char::from(*digit).to_digit(16).unwrap_or(0) ^ 1;
    *digit = char::from_digit(value, 16).map_or(b'0', |flipped| u8::try_from(flipped).unwrap_or(b'0'));
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use sipae_gen::Text;

    use super::*;

    const PLAIN: &str = "NTLM qop=\"auth\",\r\n REALM = x , version=4";

    fn text(credential: &Credential<'_>) -> String {
        String::from_utf8(credential.write()).expect("text")
    }

    #[rstest]
    #[case(AuthParam::Realm, ParamEdit::Set(Text::from("y")), "NTLM qop=\"auth\",\r\n REALM = y , version=4")]
    #[case(AuthParam::Realm, ParamEdit::Remove, "NTLM qop=\"auth\" , version=4")]
    #[case(AuthParam::Qop, ParamEdit::Remove, "NTLM REALM = x , version=4")]
    #[case(AuthParam::Qop, ParamEdit::Unquoted, "NTLM qop=auth,\r\n REALM = x , version=4")]
    #[case(AuthParam::Version, ParamEdit::Quoted, "NTLM qop=\"auth\",\r\n REALM = x , version=\"4\"")]
    #[case(AuthParam::Realm, ParamEdit::Lead("\t".into()), "NTLM qop=\"auth\",\tREALM = x , version=4")]
    #[case(
        AuthParam::Qop,
        ParamEdit::Precede(Text::from("y")),
        "NTLM qop=\"y\", qop=\"auth\",\r\n REALM = x , version=4"
    )]
    fn what_a_change_does_not_name_keeps_its_octets(
        #[case] param: AuthParam,
        #[case] change: ParamEdit,
        #[case] expected: &str,
    ) {
        let mut credential = Credential::read(PLAIN.as_bytes());
        credential.edit(param, &change, b"y").expect("a change");
        assert_eq!(text(&credential), expected);
    }

    #[test]
    fn places_stay_where_they_are_when_parameters_change_theirs() {
        let mut credential = Credential::read(PLAIN.as_bytes());
        assert_eq!(text(&credential), PLAIN);
        credential.reorder(&[AuthParam::Version]);
        assert_eq!(text(&credential), "NTLM version=4,\r\n qop=\"auth\" , REALM = x");
    }

    #[rstest]
    #[case("")]
    #[case("NTLM")]
    #[case("NTLM a")]
    #[case("NTLM =\"x\", b=\"open")]
    #[case(" NTLM a=\"b\"junk,, c=d ")]
    fn what_cannot_be_read_is_written_as_it_was(#[case] value: &str) {
        assert_eq!(Credential::read(value.as_bytes()).write(), value.as_bytes());
    }
}
