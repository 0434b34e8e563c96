//! How the value of an authentication header field is written: everything but what it says.

use sipae::auth::{AuthParam, Style};

use super::{Freedom, Freedoms, flip, shuffle, write_blank, write_cased};
use crate::source::Choices;

/// How a value may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// In quotation marks.
    Quoted,
    /// Without them.
    Bare,
    /// Either way: a token of a parameter that nobody knows.
    Either,
}

/// One parameter of a field that is being written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Param<'a> {
    pub(super) name: &'a [u8],
    pub(super) known: Option<AuthParam>,
    /// As it stands between quotation marks.
    pub(super) value: &'a [u8],
    pub(super) form: Form,
}

impl<'a> Param<'a> {
    /// One that nobody knows.
    pub(super) const fn unknown(name: &'a str, value: &'a [u8]) -> Self {
        let form = if value.is_empty() { Form::Quoted } else { Form::Either };
        Self { name: name.as_bytes(), known: None, value, form }
    }
}

/// Parameters that nobody knows.
pub(super) const UNKNOWN: &[(&str, &str)] = &[
    ("foo", "bar"),
    ("x", "1"),
    ("ms-x", ""),
    ("realms", "realm"),
    ("xrealm", "no"),
    ("cnum2", "7"),
    ("a.b_c~d", "e"),
];

const PRODUCTS: [Style; 4] = [Style::CANONICAL, Style::OCS, Style::COMMUNICATOR, Style::RTCC];

/// The order of a product: the place of each known parameter.
type Places = [u8; AuthParam::ALL.len()];

/// How products write: places, and whether there are no blanks.
static STYLES: [(Places, bool); 4] = {
    let [canonical, ocs, communicator, rtcc] = PRODUCTS;
    [style(&canonical), style(&ocs), style(&communicator), style(&rtcc)]
};

/// Behind all that have a place.
const LAST: u8 = u8::MAX;

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, where a bad index is a build error")]
const fn style(style: &Style) -> (Places, bool) {
    let mut places = [LAST; AuthParam::ALL.len()];
    let mut place = 0;
    while (place as usize) < style.order.len() {
        places[style.order[place as usize] as usize] = place;
        place += 1;
    }
    (places, style.separator.len() == 1)
}

/// Brings parameters into an order that is taken, and says whether the product that has it writes no blanks.
pub(super) fn order<T>(
    source: &mut (impl Choices + ?Sized),
    freedoms: Freedoms,
    params: &mut [T],
    known: impl Fn(&T) -> Option<AuthParam>,
) -> bool {
    let product = if freedoms.has(Freedom::Products) { source.pick(&STYLES) } else { None };
    let Some((places, is_tight)) = product else {
        shuffle(source, freedoms, params);
        return false;
    };
    if freedoms.has(Freedom::Order) && source.below(2) == 1 {
        shuffle(source, freedoms, params);
    } else {
        params
            .sort_by_key(|param| known(param).and_then(|known| places.get(known as usize)).unwrap_or(&LAST));
    }
    *is_tight
}

/// Appends parameters in their order.
pub(super) fn write<'a>(
    source: &mut (impl Choices + ?Sized),
    freedoms: Freedoms,
    is_tight: bool,
    params: impl Iterator<Item = Param<'a>>,
    out: &mut Vec<u8>,
) {
    for (place, param) in params.enumerate() {
        if place == 0 {
            write_blank(source, freedoms, " ", out);
        } else {
            write_blank(source, freedoms, "", out);
            out.push(b',');
            write_blank(source, freedoms, if is_tight { "" } else { " " }, out);
        }
        write_param(source, freedoms, &param, out);
    }
}

fn write_param(
    source: &mut (impl Choices + ?Sized),
    freedoms: Freedoms,
    param: &Param<'_>,
    out: &mut Vec<u8>,
) {
    write_cased(source, freedoms.has(Freedom::Names), param.name, out);
    write_equals(source, freedoms, out);
    if is_bare(source, freedoms, param) {
        out.extend_from_slice(param.value);
    } else {
        out.push(b'"');
        write_quoted(source, freedoms, param, out);
        out.push(b'"');
    }
}

fn write_equals(source: &mut (impl Choices + ?Sized), freedoms: Freedoms, out: &mut Vec<u8>) {
    if freedoms.has(Freedom::Equals) {
        let (before, behind) = match source.below(4) {
            0 | 1 => ("", ""),
            2 => (" ", " "),
            _ => ("", "\t"),
        };
        out.extend_from_slice(before.as_bytes());
        out.push(b'=');
        out.extend_from_slice(behind.as_bytes());
    } else {
        out.push(b'=');
    }
}

fn is_bare(source: &mut (impl Choices + ?Sized), freedoms: Freedoms, param: &Param<'_>) -> bool {
    match param.form {
        Form::Bare => true,
        Form::Either => source.below(2) == 1,
        Form::Quoted if param.known == Some(AuthParam::Qop) => {
            freedoms.has(Freedom::BareQop) && source.below(2) == 1
        }
        Form::Quoted => false,
    }
}

fn write_quoted(
    source: &mut (impl Choices + ?Sized),
    freedoms: Freedoms,
    param: &Param<'_>,
    out: &mut Vec<u8>,
) {
    let start = out.len();
    let is_signature = matches!(param.known, Some(AuthParam::Response | AuthParam::Rspauth));
    if freedoms.has(Freedom::ValueFolds) && param.value.contains(&b' ') {
        write_folded(source, param.value, out);
    } else {
        out.extend_from_slice(param.value);
    }
    if is_signature && freedoms.has(Freedom::Digits) {
        let written = out.get_mut(start..).unwrap_or_default();
        match source.below(4) {
            0 => {}
            1 => written.make_ascii_lowercase(),
            2 => written.make_ascii_uppercase(),
            _ => flip(source.below(u32::MAX), written),
        }
    }
}

/// A fold reads as one blank, and swallows those beside it: only a blank that stands alone can be one.
fn write_folded(source: &mut (impl Choices + ?Sized), value: &[u8], out: &mut Vec<u8>) {
    let is_lone = |place: usize| {
        let is_text = |place: Option<usize>| {
            place.and_then(|place| value.get(place)).is_some_and(|octet| !octet.is_ascii_whitespace())
        };
        is_text(place.checked_sub(1)) && is_text(place.checked_add(1))
    };
    for (place, octet) in value.iter().enumerate() {
        if *octet == b' ' && is_lone(place) {
            out.extend_from_slice(source.text(&[" ", "\r\n ", "\t\r\n  "]).as_bytes());
        } else {
            out.push(*octet);
        }
    }
}
