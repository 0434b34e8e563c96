//! How the value of an authentication header field is written: everything but what it says.

use sipae::auth::{AuthParam, Style};

use super::padded::{Blank, Blanks, Mark, Name, Roomy, flip, padded};
use super::{
    Freedom, Freedoms, NEEDED, OPTIONAL, blanks, shuffle, write_blank, write_cased, write_name, write_padded,
};
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

impl Form {
    /// Whether a value stands in quotation marks.
    pub(super) fn is_quoted(
        self,
        source: &mut (impl Choices + ?Sized),
        freedoms: Freedoms,
        known: Option<AuthParam>,
    ) -> bool {
        let is_free = match self {
            Self::Bare => return false,
            Self::Either => true,
            Self::Quoted => known == Some(AuthParam::Qop) && freedoms.has(Freedom::BareQop),
        };
        !is_free || source.below(2) == 0
    }
}

/// One parameter of a field that is being written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Param<'a> {
    pub(super) name: Called<'a>,
    pub(super) known: Option<AuthParam>,
    /// As it stands between quotation marks.
    pub(super) value: Roomy<'a>,
    /// Where folds may stand in it.
    pub(super) blanks: Blanks,
    pub(super) is_quoted: bool,
}

/// The name of a parameter.
#[derive(Clone, Copy, Debug)]
pub(super) enum Called<'a> {
    /// One of ours.
    Known(&'static Name),
    /// As somebody has written it.
    Written(&'a [u8]),
}

impl Called<'_> {
    pub(super) fn octets(&self) -> &[u8] {
        match self {
            Self::Known(name) => name.text().as_bytes(),
            Self::Written(name) => name,
        }
    }
}

/// The names of the parameters.
pub(super) static NAMES: [Name; AuthParam::ALL.len()] = names();

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, where a bad index is a build error")]
const fn names() -> [Name; AuthParam::ALL.len()] {
    let mut names = [Name::new(""); AuthParam::ALL.len()];
    let mut place = 0;
    while place < names.len() {
        names[AuthParam::ALL[place] as usize] = Name::new(AuthParam::ALL[place].name());
        place += 1;
    }
    names
}

pub(super) const UNKNOWN_COUNT: u32 = 7;
/// Parameters that nobody knows.
pub(super) static UNKNOWN: [(Name, Blank); UNKNOWN_COUNT as usize] = [
    (Name::new("foo"), Blank::new("bar")),
    (Name::new("x"), Blank::new("1")),
    (Name::new("ms-x"), Blank::new("")),
    (Name::new("realms"), Blank::new("realm")),
    (Name::new("xrealm"), Blank::new("no")),
    (Name::new("cnum2"), Blank::new("7")),
    (Name::new("a.b_c~d"), Blank::new("e")),
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
            .sort_by_key(|param| *known(param).and_then(|known| places.get(known as usize)).unwrap_or(&LAST));
    }
    *is_tight
}

/// What separates two parameters: all ways in which the comma can stand between two blanks.
struct Separators {
    marks: [Mark; MOST],
    count: usize,
}

const MOST: usize = 5 * 6;
/// Without a quotation mark before them, and with one.
type Ends = [[Separators; 4]; 2];

/// With a blank behind the comma.
static LOOSE: Ends = [separators("", &NEEDED), separators("\"", &NEEDED)];
/// Without one.
static TIGHT: Ends = [separators("", &OPTIONAL), separators("\"", &OPTIONAL)];

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, where a bad index is a build error")]
const fn separators(end: &str, behind: &[&[Blank]; 4]) -> [Separators; 4] {
    let mut all = [const { Separators { marks: [Mark::new(""); MOST], count: 0 } }; 4];
    let mut place = 0;
    while place < all.len() {
        all[place] = between(end, OPTIONAL[place], behind[place]);
        place += 1;
    }
    all
}

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, where a bad index is a build error")]
const fn between(end: &str, before: &[Blank], behind: &[Blank]) -> Separators {
    let (mut marks, count) = ([Mark::new(""); MOST], before.len() * behind.len());
    let mut place = 0;
    while place < count {
        let (before, behind) = (&before[place % before.len()], &behind[place / before.len()]);
        marks[place] = Mark::new(end).then(before.text()).then(",").then(behind.text());
        place += 1;
    }
    Separators { marks, count }
}

/// Appends parameters in their order.
pub(super) fn write<'a>(
    source: &mut (impl Choices + ?Sized),
    freedoms: Freedoms,
    is_tight: bool,
    params: impl Iterator<Item = Param<'a>>,
    out: &mut Vec<u8>,
) {
    let ends = if is_tight { &TIGHT } else { &LOOSE };
    let mut is_open = None;
    for param in params {
        match is_open.and_then(|is_open: bool| ends.get(usize::from(is_open))?.get(blanks(freedoms))) {
            None => write_blank(source, freedoms, " ", out),
            Some(Separators { marks, count }) => {
                write_padded(source, marks.get(..*count).unwrap_or_default(), out);
            }
        }
        write_param(source, freedoms, &param, out);
        is_open = Some(param.is_quoted);
    }
    if is_open == Some(true) {
        out.push(b'"');
    }
}

/// Up to the quotation mark at its end.
fn write_param(
    source: &mut (impl Choices + ?Sized),
    freedoms: Freedoms,
    param: &Param<'_>,
    out: &mut Vec<u8>,
) {
    let is_free = freedoms.has(Freedom::Names);
    match param.name {
        Called::Known(name) => write_name(source, is_free, name, out),
        Called::Written(name) => write_cased(source, is_free, name, out),
    }
    let equals = if param.is_quoted { OPENING } else { EQUALS };
    let ways = if freedoms.has(Freedom::Equals) { equals.len() } else { 1 };
    write_padded(source, equals.get(..ways).unwrap_or_default(), out);
    write_value(source, freedoms, param, out);
}

const EQUALS: &[Blank] = padded!["=", "=", " = ", "=\t"];
const OPENING: &[Blank] = padded!["=\"", "=\"", " = \"", "=\t\""];

fn write_value(
    source: &mut (impl Choices + ?Sized),
    freedoms: Freedoms,
    param: &Param<'_>,
    out: &mut Vec<u8>,
) {
    let start = out.len();
    let is_signature = matches!(param.known, Some(AuthParam::Response | AuthParam::Rspauth));
    if freedoms.has(Freedom::ValueFolds) && param.is_quoted && !param.blanks.is_empty() {
        param.value.write_spaced(param.blanks, out, |out| write_padded(source, FOLDS, out));
    } else {
        param.value.write(out);
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
const FOLDS: &[Blank] = padded![" ", "\r\n ", "\t\r\n  "];
