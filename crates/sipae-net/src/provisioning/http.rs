//! HTTP/1.1 as far as a service of few small requests needs it (RFC 9110, RFC 9112), without IO.
//!
//! Bounded: the head of a request, its header fields, its body. Not there: transfer codings other than chunked,
//! compression, ranges, caches, upgrades.

use std::mem;

use httparse::{EMPTY_HEADER, Status};

use crate::system_time;

/// Longest request line with its header fields.
const HEAD: usize = 8 * 1024;
/// Most header fields.
const FIELDS: usize = 64;
/// Longest body; a request for a certificate is a tenth of it.
pub(super) const BODY: usize = 64 * 1024;
/// Longest line before a chunk, and longest trailer.
const CHUNK_LINE: usize = 1024;

/// A whole request, as far as anybody asks for it.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: String,
    /// Without query.
    pub(super) path: String,
    pub(super) content_type: Option<String>,
    pub(super) soap_action: Option<String>,
    pub(super) body: Vec<u8>,
    pub(super) keeps_alive: bool,
    pub(super) is_head: bool,
}

/// What octets come to.
#[derive(Debug)]
pub(super) enum Incoming {
    /// More are needed.
    Partial,
    /// More are needed, and the client waits to be told to go on.
    AwaitsContinue,
    Request(Request),
}

/// A request that cannot be read, nor anything behind it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) status: u16,
    pub(super) reason: &'static str,
}

impl Refused {
    pub(super) const LATE: Self = Self::new(408, "the request does not come to an end");
    const TOO_LARGE: Self = Self::new(413, "the body is too long");

    const fn new(status: u16, reason: &'static str) -> Self {
        Self { status, reason }
    }
}

/// Cuts requests out of octets.
#[derive(Debug, Default)]
pub(super) struct Reader {
    octets: Vec<u8>,
    /// The head of a request whose body is still to come.
    head: Option<Head>,
    /// What chunks have brought of it.
    body: Vec<u8>,
}

#[derive(Debug)]
struct Head {
    request: Request,
    length: Length,
    awaits_continue: bool,
}

#[derive(Clone, Copy, Debug)]
enum Length {
    Known(usize),
    Chunked,
}

impl Reader {
    pub(super) fn push(&mut self, octets: &[u8]) {
        self.octets.extend_from_slice(octets);
    }

    /// Whether nothing of a request is here.
    pub(super) const fn is_idle(&self) -> bool {
        self.head.is_none() && self.octets.is_empty()
    }

    /// The next request, once all of it is here.
    ///
    /// # Errors
    /// When it breaks a rule or a bound: then nobody knows where the next one begins.
    pub(super) fn next(&mut self) -> Result<Incoming, Refused> {
        let Some(mut head) = self.take_head()? else { return Ok(Incoming::Partial) };
        let body = match head.length {
            Length::Known(length) => self.take(length),
            Length::Chunked => self.take_chunks()?,
        };
        if let Some(body) = body {
            return Ok(Incoming::Request(Request { body, ..head.request }));
        }
        let is_waiting = mem::take(&mut head.awaits_continue) && self.octets.is_empty();
        self.head = Some(head);
        Ok(if is_waiting { Incoming::AwaitsContinue } else { Incoming::Partial })
    }

    fn take_head(&mut self) -> Result<Option<Head>, Refused> {
        if let Some(head) = self.head.take() {
            return Ok(Some(head));
        }
        let Some((head, length)) = read_head(&self.octets)? else { return Ok(None) };
        self.octets.drain(..length);
        Ok(Some(head))
    }

    fn take(&mut self, length: usize) -> Option<Vec<u8>> {
        (length <= self.octets.len()).then(|| self.octets.drain(..length).collect())
    }

    /// The body once its last chunk is here.
    fn take_chunks(&mut self) -> Result<Option<Vec<u8>>, Refused> {
        const BAD: Refused = Refused::new(400, "the chunks of the body cannot be read");
        loop {
            let Status::Complete((line, size)) = httparse::parse_chunk_size(&self.octets).map_err(|_| BAD)?
            else {
                return if CHUNK_LINE < self.octets.len() { Err(BAD) } else { Ok(None) };
            };
            if size == 0 {
                return self.take_trailer(line);
            }
            let size = usize::try_from(size).unwrap_or(usize::MAX);
            if BODY.saturating_sub(self.body.len()) < size {
                return Err(Refused::TOO_LARGE);
            }
            let end = line + size;
            match self.octets.get(end..end + 2) {
                None => return Ok(None),
                Some(b"\r\n") => {}
                Some(_) => return Err(BAD),
            }
            self.body.extend(self.octets.drain(..end + 2).skip(line).take(size));
        }
    }

    /// Goes over the fields behind the last chunk.
    fn take_trailer(&mut self, line: usize) -> Result<Option<Vec<u8>>, Refused> {
        const BAD: Refused = Refused::new(400, "the trailer of the body cannot be read");
        let trailer = self.octets.get(line..).unwrap_or_default();
        let mut fields = [EMPTY_HEADER; FIELDS];
        let Status::Complete((length, _)) = httparse::parse_headers(trailer, &mut fields).map_err(|_| BAD)?
        else {
            return if CHUNK_LINE < trailer.len() { Err(BAD) } else { Ok(None) };
        };
        self.octets.drain(..line + length);
        Ok(Some(mem::take(&mut self.body)))
    }
}

/// The head of a request and how long it is; `None` while it is incomplete.
fn read_head(octets: &[u8]) -> Result<Option<(Head, usize)>, Refused> {
    let mut fields = [EMPTY_HEADER; FIELDS];
    let mut read = httparse::Request::new(&mut fields);
    let length = match read.parse(octets).map_err(unreadable)? {
        Status::Complete(length) if length <= HEAD => length,
        Status::Partial if octets.len() <= HEAD => return Ok(None),
        _ if octets.iter().take(HEAD).any(|octet| *octet == b'\n') => {
            return Err(Refused::new(431, "the header fields are too long"));
        }
        _ => return Err(Refused::new(414, "the request line is too long")),
    };
    Ok(Some((head(&read)?, length)))
}

fn unreadable(error: httparse::Error) -> Refused {
    match error {
        httparse::Error::TooManyHeaders => Refused::new(431, "there are too many header fields"),
        httparse::Error::Version => Refused::new(505, "the version is neither HTTP/1.0 nor HTTP/1.1"),
        _ => Refused::new(400, "this is no request of HTTP"),
    }
}

fn head(read: &httparse::Request<'_, '_>) -> Result<Head, Refused> {
    let fields = Fields(read.headers);
    let is_1_1 = read.version == Some(1);
    if 1 < fields.all("Host").count() || (is_1_1 && fields.one("Host").is_none()) {
        return Err(Refused::new(400, "there is not exactly one Host"));
    }
    let method = read.method.unwrap_or_default().to_owned();
    let length = length(&fields, is_1_1, &method)?;
    let request = Request {
        path: path(read.path.unwrap_or_default()).to_owned(),
        content_type: fields.one("Content-Type"),
        soap_action: fields.one("SOAPAction"),
        body: Vec::new(),
        keeps_alive: !fields.says("Connection", "close")
            && (is_1_1 || fields.says("Connection", "keep-alive")),
        is_head: method == "HEAD",
        method,
    };
    Ok(Head { request, length, awaits_continue: is_1_1 && expects(&fields)? })
}

/// How long the body is (RFC 9112 6.3). What two readers could see differently is refused.
fn length(fields: &Fields<'_, '_>, is_1_1: bool, method: &str) -> Result<Length, Refused> {
    let mut lengths = fields.all("Content-Length");
    let known = lengths.next();
    if fields.one("Transfer-Encoding").is_some() {
        return match known {
            None if is_1_1 => chunked(fields),
            _ => Err(Refused::new(400, "Transfer-Encoding stands beside what excludes it")),
        };
    }
    match known {
        None if method == "POST" => Err(Refused::new(411, "a body without Content-Length")),
        None => Ok(Length::Known(0)),
        Some(_) if lengths.next().is_some() => {
            Err(Refused::new(400, "there is more than one Content-Length"))
        }
        Some(text) => known_length(text),
    }
}

fn chunked(fields: &Fields<'_, '_>) -> Result<Length, Refused> {
    let mut codings = fields.all("Transfer-Encoding");
    let is_chunked = codings.next().is_some_and(|coding| coding.eq_ignore_ascii_case(b"chunked"));
    if is_chunked && codings.next().is_none() {
        Ok(Length::Chunked)
    } else {
        Err(Refused::new(501, "Transfer-Encoding is not chunked alone"))
    }
}

fn known_length(text: &[u8]) -> Result<Length, Refused> {
    let is_number = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    let number = str::from_utf8(text).ok().filter(|_| is_number);
    let number = number.ok_or(Refused::new(400, "Content-Length is no number"))?;
    // What does not fit into a number is too long as well.
    number.parse().ok().filter(|length| *length <= BODY).map(Length::Known).ok_or(Refused::TOO_LARGE)
}

fn expects(fields: &Fields<'_, '_>) -> Result<bool, Refused> {
    match fields.one("Expect") {
        None => Ok(false),
        Some(expected) if expected.eq_ignore_ascii_case("100-continue") => Ok(true),
        Some(_) => Err(Refused::new(417, "Expect is not 100-continue")),
    }
}

/// The path of a target, which may have scheme and host before it (RFC 9112 3.2.2).
fn path(target: &str) -> &str {
    let path = match target.split_once("://") {
        Some((scheme, rest)) if !scheme.contains('/') => rest.find('/').map_or("/", |start| &rest[start..]),
        _ => target,
    };
    path.split_once('?').map_or(path, |(path, _)| path)
}

/// Header fields by their names.
struct Fields<'f, 'o>(&'f [httparse::Header<'o>]);

impl<'o> Fields<'_, 'o> {
    fn all(&self, name: &str) -> impl Iterator<Item = &'o [u8]> {
        self.0.iter().filter(move |field| field.name.eq_ignore_ascii_case(name)).map(|field| field.value)
    }

    fn one(&self, name: &str) -> Option<String> {
        self.all(name).next().map(|value| String::from_utf8_lossy(value).into_owned())
    }

    /// Whether a word is in the list of a field.
    fn says(&self, name: &str, word: &str) -> bool {
        let mut words = self.all(name).flat_map(|value| value.split(|octet| *octet == b','));
        words.any(|said| said.trim_ascii().eq_ignore_ascii_case(word.as_bytes()))
    }
}

/// An answer.
#[derive(Debug)]
pub(super) struct Response {
    pub(super) status: u16,
    content_type: &'static str,
    /// For 405: what would be allowed.
    allow: Option<&'static str>,
    pub(super) body: String,
}

impl Response {
    pub(super) const fn xml(status: u16, body: String) -> Self {
        Self { status, content_type: "text/xml; charset=utf-8", allow: None, body }
    }

    /// One line for whoever reads it.
    pub(super) fn text(status: u16, line: &str) -> Self {
        let body = format!("{line}\n");
        Self { status, content_type: "text/plain; charset=utf-8", allow: None, body }
    }

    pub(super) fn not_allowed(allow: &'static str) -> Self {
        Self { allow: Some(allow), ..Self::text(405, "this method has no meaning here") }
    }

    /// The answer on the wire; one to HEAD has no body.
    pub(super) fn octets(&self, keeps_alive: bool, is_head: bool) -> Vec<u8> {
        let Self { status, content_type, body, .. } = self;
        let allow = self.allow.map(|allow| format!("Allow: {allow}\r\n")).unwrap_or_default();
        let head = format!(
            "HTTP/1.1 {status} {}\r\nDate: {}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n{allow}\
             Cache-Control: no-store\r\nConnection: {}\r\n\r\n",
            phrase(*status),
            system_time(),
            body.len(),
            if keeps_alive { "keep-alive" } else { "close" },
        );
        (head + if is_head { "" } else { body }).into_bytes()
    }
}

const fn phrase(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        411 => "Length Required",
        413 => "Content Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        417 => "Expectation Failed",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        505 => "HTTP Version Not Supported",
        _ => "Answer",
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn read(octets: &[u8]) -> Result<Incoming, Refused> {
        let mut reader = Reader::default();
        reader.push(octets);
        reader.next()
    }

    fn request(octets: &[u8]) -> Request {
        match read(octets) {
            Ok(Incoming::Request(request)) => request,
            other => panic!("{other:?}"),
        }
    }

    #[rstest]
    #[case("GET /a HTTP/1.1\r\n\r\n", 400)]
    #[case("GET /a HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400)]
    #[case("GET /a HTTP/2.0\r\nHost: a\r\n\r\n", 505)]
    #[case("\u{1}\u{2}\r\n\r\n", 400)]
    #[case("POST /a HTTP/1.1\r\nHost: a\r\n\r\n", 411)]
    #[case("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n", 400)]
    #[case("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: \r\n\r\n", 400)]
    #[case("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", 400)]
    #[case("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\n", 413)]
    #[case("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\n", 413)]
    #[case("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400)]
    #[case("POST /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400)]
    #[case("POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501)]
    #[case("POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n10001\r\n", 413)]
    #[case("POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n", 413)]
    #[case("POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", 400)]
    #[case("POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc", 400)]
    #[case("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: more\r\n\r\n", 417)]
    fn what_breaks_a_rule_is_refused_with_its_status(#[case] octets: &str, #[case] status: u16) {
        assert_eq!(read(octets.as_bytes()).expect_err(octets).status, status);
    }

    #[test]
    fn heads_are_bounded() {
        let long = "a".repeat(HEAD);
        assert_eq!(read(format!("GET /{long}").as_bytes()).unwrap_err().status, 414);
        assert_eq!(read(format!("GET / HTTP/1.1\r\nHost: {long}").as_bytes()).unwrap_err().status, 431);
        let many = "A: b\r\n".repeat(FIELDS + 1);
        assert_eq!(read(format!("GET / HTTP/1.1\r\n{many}\r\n").as_bytes()).unwrap_err().status, 431);
        let blank = "\r\n".repeat(HEAD);
        assert_eq!(read(blank.as_bytes()).unwrap_err().status, 431);
        let line = "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;";
        assert_eq!(read(format!("{line}{long}").as_bytes()).unwrap_err().status, 400);
    }

    #[rstest]
    #[case("Content-Length: 5\r\n\r\nhello")]
    #[case("Transfer-Encoding: Chunked\r\n\r\n1\r\nh\r\n04;ext=1\r\nello\r\n0\r\n\r\n")]
    #[case("Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nTrailer: yes\r\n\r\n")]
    fn a_body_is_the_same_however_it_comes(#[case] rest: &str) {
        let octets = format!("POST /a?b HTTP/1.1\r\nHost: a\r\n{rest}");
        let mut reader = Reader::default();
        for octet in octets.as_bytes().iter().take(octets.len() - 1) {
            reader.push(&[*octet]);
            assert!(matches!(reader.next(), Ok(Incoming::Partial)), "{octets}");
        }
        reader.push(&octets.as_bytes()[octets.len() - 1..]);
        reader.push(b"GET");
        let Ok(Incoming::Request(request)) = reader.next() else { panic!("{octets}") };
        assert_eq!((request.path.as_str(), request.body.as_slice()), ("/a", b"hello".as_slice()));
        assert!(request.keeps_alive && !reader.is_idle());
    }

    #[test]
    fn a_client_is_told_once_to_go_on_and_not_if_it_has() {
        let head = b"POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\n";
        let mut reader = Reader::default();
        reader.push(head);
        assert!(matches!(reader.next(), Ok(Incoming::AwaitsContinue)));
        assert!(matches!(reader.next(), Ok(Incoming::Partial)));
        let mut reader = Reader::default();
        reader.push(head);
        reader.push(b"a");
        assert!(matches!(reader.next(), Ok(Incoming::Partial)));
    }

    #[rstest]
    #[case("GET /a HTTP/1.0\r\n\r\n", false)]
    #[case("GET /a HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true)]
    #[case("GET /a HTTP/1.1\r\nHost: a\r\n\r\n", true)]
    #[case("GET http://a:1/a HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n", false)]
    fn a_connection_is_kept_as_both_sides_know(#[case] octets: &str, #[case] expected: bool) {
        let request = request(octets.as_bytes());
        assert_eq!((request.path.as_str(), request.keeps_alive), ("/a", expected));
    }
}
