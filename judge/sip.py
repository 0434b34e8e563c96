"""SIP messages as far as [MS-SIPAE] needs them: header fields, addresses, identities, signature buffer, Referred-By.

Reading is by RFC 3261 25.1. Where two readers could differ (two copies of a covered field, two addresses in
one From) nothing is chosen: the message is unfit for signing.
"""
import re

BLANKS = " \t"
TOKEN = re.compile(r"[A-Za-z0-9.!%*_+`'~-]+")
_FOLD = re.compile(r"[ \t]*\r\n[ \t]+")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_COMPACT = {"f": "from", "t": "to", "i": "call-id", "m": "contact", "v": "via", "l": "content-length"}
# Fields that feed the signature buffer and may stand in a message only once (SIPAE-2.2-21).
COVERED = ("from", "to", "call-id", "cseq", "expires")


class Unreadable(Exception):
    """The text is no SIP message; says why."""


def unfold(raw):
    """A value with each fold read as one blank, without the blanks around it."""
    return _FOLD.sub(" ", raw).strip(BLANKS)


class Message:
    """A message: its start line, and its header fields in order under their long names in lower case."""

    def __init__(self, text):
        head = text.split("\r\n\r\n", 1)[0]
        if "\n" in head.replace("\r\n", ""):
            raise Unreadable("a line feed without carriage return")
        lines = head.removesuffix("\r\n").split("\r\n")
        self._start_line(lines[0])
        self.fields = []
        for line in lines[1:]:
            self._line(line)

    def _start_line(self, line):
        self.method = self.uri = self.status = self.reason = None
        response = re.fullmatch(r"SIP/2\.0 ([1-6][0-9]{2})(?: (.*))?", line, re.IGNORECASE | re.DOTALL)
        request = re.fullmatch(r"(\S+) (.+) SIP/2\.0", line, re.IGNORECASE | re.DOTALL)
        if response:
            self.status, self.reason = response[1], response[2] or ""
        elif request and TOKEN.fullmatch(request[1]):
            self.method, self.uri = request[1], request[2]
        else:
            raise Unreadable("the start line is neither that of a request nor that of a response")

    def _line(self, line):
        if line[:1] in BLANKS and line:
            if not self.fields:
                raise Unreadable("the first header line begins with a blank")
            name, raw = self.fields[-1]
            self.fields[-1] = name, raw + "\r\n" + line
            return
        name, colon, raw = line.partition(":")
        name = name.rstrip(BLANKS)
        if not colon or not TOKEN.fullmatch(name):
            raise Unreadable("a header line without a name")
        self.fields.append((_COMPACT.get(name.lower(), name.lower()), raw))

    def values(self, name):
        """The values under a long name, in order, folds read as blanks."""
        return [unfold(raw) for field, raw in self.fields if field == name]

    def single(self, name):
        """The value of a field that stands in the message exactly once, else None."""
        values = self.values(name)
        return values[0] if len(values) == 1 else None


# ---------------------------------------------------------------- addresses
class Address:
    """A name-addr or addr-spec with its parameters; `findings` are the remarks on its form."""

    def __init__(self, uri, parameters, findings):
        self.uri, self.parameters, self.findings = uri, parameters, findings

    def parameter(self, name):
        """The value of the first parameter of a name, without quotation marks; None without one."""
        for found, value in self.parameters:
            if found == name and value is not None:
                return unquote(value)
        return None


class BadAddress(Exception):
    """No address, or more than one: its text is the finding."""


def unquote(value):
    """A quoted string without its quotation marks and escapes; other text as it is."""
    if len(value) >= 2 and value[0] == value[-1] == '"':
        return re.sub(r"\\(.)", r"\1", value[1:-1], flags=re.DOTALL)
    return value


def split_list(value, separator=","):
    """Elements of a list; separators in quoted strings and angle brackets are data."""
    elements, start, at, inside = [], 0, 0, False
    while at < len(value):
        quoted = _QUOTED.match(value, at) if value[at] == '"' and not inside else None
        if quoted:
            at = quoted.end()
            continue
        if value[at] in "<>":
            inside = value[at] == "<"
        if value[at] == separator and not inside:
            elements.append(value[start:at])
            start = at + 1
        at += 1
    return [element.strip(BLANKS) for element in elements + [value[start:]]]


def read_address(value):
    """The one address of a From, To or Contact element."""
    if len(split_list(value)) > 1:
        raise BadAddress("name-addr-several")
    bracket = _opening_bracket(value)
    if bracket is None:
        return _bare_address(value)
    closing = value.find(">", bracket)
    if closing < 0 or closing == bracket + 1:
        raise BadAddress("name-addr-malformed")
    rest = value[closing + 1:]
    if _opening_bracket(rest) is not None and not rest.lstrip(BLANKS).startswith(";"):
        raise BadAddress("name-addr-several")
    return Address(value[bracket + 1:closing], _parameters(rest), [])


def _opening_bracket(value):
    """Where the URI in brackets begins: behind a display name, quoted or of tokens; None if there is none."""
    at = 0
    quoted = _QUOTED.match(value)
    if value.startswith('"'):
        if not quoted:
            raise BadAddress("name-addr-malformed")
        at = quoted.end()
    found = re.compile(r'[<;"]').search(value, at)
    return found.start() if found and found[0] == "<" else None


def _bare_address(value):
    """A URI without brackets: it runs to the first semicolon or blank, behind a display name too."""
    quoted = _QUOTED.match(value)
    at = quoted.end() if quoted else 0
    text, semicolon, rest = value[at:].partition(";")
    words = text.split()
    uris = [i for i, word in enumerate(words) if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", word)]
    if not uris or uris[0] != len(words) - 1:
        raise BadAddress("name-addr-malformed")
    uri = words[-1]
    needs_brackets = quoted is not None or len(words) > 1 or "?" in uri
    findings = ["name-addr-without-brackets"] if needs_brackets else []
    return Address(uri, _parameters(semicolon + rest), findings)


def _parameters(text):
    """Header parameters `;name=value` by name in lower case; two tags or epids would be read differently."""
    if not text.strip(BLANKS):
        return []
    first, *elements = split_list(text, ";")
    if first:
        raise BadAddress("name-addr-malformed")
    parameters = []
    for element in elements:
        name, equals, value = element.partition("=")
        name, value = name.strip(BLANKS).lower(), value.strip(BLANKS)
        if not TOKEN.fullmatch(name) or (equals and not value):
            raise BadAddress("name-addr-malformed")
        parameters.append((name, value if equals else None))
    names = [name for name, _ in parameters]
    if names.count("tag") > 1 or names.count("epid") > 1:
        raise BadAddress("name-addr-malformed")
    return parameters


def identities(message):
    """First sip (or sips) and first tel URI of P-Asserted-Identity, or else of P-Preferred-Identity."""
    values = message.values("p-asserted-identity") or message.values("p-preferred-identity")
    sip = tel = None
    for element in (element for value in values for element in split_list(value)):
        uri = _identity_uri(element)
        if sip is None and uri.lower().startswith(("sip:", "sips:")):
            sip = uri
        elif tel is None and uri.lower().startswith("tel:"):
            tel = uri
    return sip, tel


def _identity_uri(element):
    """The URI inside the brackets; without brackets all of it, since identities have no parameters."""
    try:
        bracket = _opening_bracket(element)
    except BadAddress:
        return ""
    return element if bracket is None else element[bracket + 1:].partition(">")[0]


def fits_u32(digits):
    """Whether decimal digits are a 32-bit number, however many zeros lead."""
    digits = digits.lstrip("0") or "0"
    return len(digits) <= 10 and int(digits) <= 0xFFFFFFFF


def cseq(message):
    """Number, as written, and method of the CSeq; None where there is no well-formed one."""
    value = message.single("cseq")
    parts = re.fullmatch(r"([0-9]+)[ \t]+(\S+)", value or "")
    if not parts or not TOKEN.fullmatch(parts[2]) or not fits_u32(parts[1]):
        return None
    return parts[1], parts[2]


# ---------------------------------------------------------------- the signature buffer
def signature_buffer(message, version, context):
    """The signature buffer of [MS-SIPAE] 3.2.4.1; None for a message that is unfit for signing.

    `context` holds scheme, rand, num, realm and targetname of the authentication header field. A covered header
    field that is absent gives empty elements (SIPAE-3.2.4.1-06), one that is there and cannot be read gives nothing.
    """
    if any(len(message.values(name)) > 1 for name in COVERED):
        return None
    number = cseq(message) if message.values("cseq") else ("", "")
    call_id = message.single("call-id")
    try:
        sender, recipient = (_party(message.single(name)) for name in ("from", "to"))
    except BadAddress:
        return None
    if number is None or call_id == "":
        return None
    long = version >= 3
    fields = [*context, call_id, *number, sender.uri, sender.parameter("tag")]
    fields += [recipient.uri] if long else []
    fields += [recipient.parameter("tag")]
    fields += identities(message) if long else []
    fields += [message.single("expires")]
    fields += [message.status] if message.status else []
    return "".join(f"<{field or ''}>" for field in fields)


def _party(value):
    """The address of From or To; an empty one where the header field is absent."""
    return Address("", [], []) if value is None else read_address(value)


CONTEXT = ("scheme", "rand", "num", "realm", "targetname")


def signature_buffer_of(inputs, version):
    """The buffer for the inputs `message` and `context`; None for a message that is unfit for signing."""
    text, context = inputs.text("message"), inputs.inner("context")
    values = [context.text(name) for name in CONTEXT]
    try:
        return signature_buffer(Message(text), version, values)
    except Unreadable:
        return None


def sip_buffer(inputs):
    """Operation `sip_buffer`."""
    buffers = {str(version): signature_buffer_of(inputs, version) for version in (2, 3, 4)}
    return {"buffers": None if None in buffers.values() else buffers}


# ---------------------------------------------------------------- Referred-By
_QUOTED_SIP_URI = re.compile(r'"(sips?:[^"]+)"', re.IGNORECASE)


def referred_by(inputs):
    """Operation `referred_by`: the URI in brackets, and the one that the parameter ms-referee-uri holds in quotes."""
    value = unfold(inputs.text("header"))
    try:
        address, has_brackets = read_address(value), _opening_bracket(value) is not None
    except BadAddress:
        return {"uri": None, "referee_uri": None}
    # The value is looked at as written: without quotation marks it is malformed (SIPAE-3.2.4.4-02).
    written = next((raw or "" for name, raw in address.parameters if name == "ms-referee-uri"), "")
    quoted = _QUOTED_SIP_URI.fullmatch(written)
    return {"uri": address.uri if has_brackets else None, "referee_uri": quoted[1] if quoted else None}


OPERATIONS = {function.__name__: function for function in (sip_buffer, referred_by)}
