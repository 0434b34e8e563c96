"""Authentication header fields: reading them with findings, and writing them.

The rules are those of "Facts and findings" of vectors/README.md; the findings of one parameter come in the
order form, then value.
"""
import re

from encoding import base16_decode, base64_decode
from sip import BLANKS, TOKEN, fits_u32
from values import Malformed, Unsupported, utf8_text

SCHEMES = {"ntlm": "NTLM", "kerberos": "Kerberos", "tls-dsk": "TLS-DSK", "digest": "Digest"}
_SIGNING_SCHEMES = ("ntlm", "kerberos", "tls-dsk")
_QUOTED_NAMES = ("qop", "realm", "opaque", "targetname", "gssapi-data", "crand", "srand", "cnum", "snum",
                 "response", "rspauth", "sts-uri")
_NAME_AND_EQUALS = re.compile(r"[A-Za-z0-9.!%*_+`'~-]+[ \t]*=")
_FOLD = re.compile(r"[ \t]*\r\n[ \t]+")
# A fold reads as a blank, but one inside a value is remarked upon: until then a character that no
# header field can hold stands for it.
_FOLD_MARK = "\n"


class AuthHeader:
    """Scheme as written, parameters by name in lower case (the first of two), and findings in order."""

    def __init__(self, value):
        self.text = _FOLD.sub(_FOLD_MARK, value).strip(BLANKS + _FOLD_MARK)
        self.at, self.params, self.findings = 0, {}, []
        self.scheme = self._read_scheme()
        self.known = self.scheme.lower()
        if self.scheme:
            self._read_list()

    def _read_scheme(self):
        word = re.match(r"[^ \t\n]*", self.text)[0]
        if not TOKEN.fullmatch(word):
            self.findings.append("scheme-missing")
            return ""
        self.at = len(word)
        usual = SCHEMES.get(word.lower())
        if usual is None:
            self.findings.append("scheme-unknown")
        elif usual != word:
            self.findings.append("scheme-spelling")
        return word

    # ------------------------------------------------------------ the list
    def _skip_blanks(self):
        start = self.at
        while self.at < len(self.text) and self.text[self.at] in BLANKS + _FOLD_MARK:
            self.at += 1
        return self.at > start

    def _skip_to_comma(self):
        comma = self.text.find(",", self.at)
        self.at = len(self.text) if comma < 0 else comma

    def _read_list(self):
        after_comma = False
        while True:
            self._skip_blanks()
            if self.at == len(self.text):
                self.findings += ["element-empty"] if after_comma else []
                return
            if self.text[self.at] == ",":
                self.findings.append("element-empty")
                self.at += 1
                after_comma = True
                continue
            self._read_element()
            self._skip_blanks()
            after_comma = self.text[self.at:self.at + 1] == ","
            self.at += after_comma

    def _read_element(self):
        """One parameter; behind it stands a comma, the end, or the next parameter."""
        name, equals, _ = self.text[self.at:].partition("=")
        if not equals or "," in name:
            self.findings.append("param-value-missing")
            self._skip_to_comma()
            return
        if not TOKEN.fullmatch(name.rstrip(BLANKS + _FOLD_MARK)):
            self.findings.append("param-name-malformed")
            self._skip_to_comma()
            return
        self.at += len(name) + 1
        blanks = self._skip_blanks() or name[-1] in BLANKS + _FOLD_MARK
        name = name.rstrip(BLANKS + _FOLD_MARK).lower()
        duplicate = name in self.params
        self.findings += ["param-duplicate"] if duplicate else []
        self.findings += ["blank-around-equals"] if blanks else []
        quoted = self.text[self.at:self.at + 1] == '"'
        value = self._read_quoted() if quoted else self._read_unquoted()
        if value is None:
            return
        if not duplicate:
            self.params[name] = value
        if self.known in _SIGNING_SCHEMES:
            self.findings += value_findings(self.known, name, value, quoted)

    def _read_quoted(self):
        """To the next quotation mark, whatever stands before it; None where there is none."""
        end = self.text.find('"', self.at + 1)
        if end < 0:
            self.findings.append("quote-unterminated")
            self.at = len(self.text)
            return None
        value = self.text[self.at + 1:end]
        self.at = end + 1
        self.findings += ["fold-in-value"] if _FOLD_MARK in value else []
        self.findings += ["backslash-literal"] if "\\" in value and self.known != "digest" else []
        self._skip_blanks()
        if _NAME_AND_EQUALS.match(self.text, self.at):
            self.findings.append("comma-missing")
        elif self.text[self.at:self.at + 1] not in (",", ""):
            self.findings.append("text-after-quote")
            self._skip_to_comma()
        return value.replace(_FOLD_MARK, " ")

    def _read_unquoted(self):
        """To the next comma, or to blanks behind which the next parameter begins."""
        start = self.at
        self._skip_to_comma()
        next_parameter = re.compile(r"[ \t\n]+" + _NAME_AND_EQUALS.pattern).search(self.text, start, self.at)
        if next_parameter:
            self.at = next_parameter.start()
        value = self.text[start:self.at].strip(BLANKS + _FOLD_MARK)
        self.findings += ["fold-in-value"] if _FOLD_MARK in value else []
        self.findings += ["comma-missing"] if next_parameter else []
        value = value.replace(_FOLD_MARK, " ")
        self.findings += [] if TOKEN.fullmatch(value) else ["value-not-token"]
        return value


# ---------------------------------------------------------------- values
def is_number(value):
    """Whether a text is a sequence number: decimal, from 1 to 4294967295."""
    return re.fullmatch(r"[0-9]*[1-9][0-9]*", value) is not None and fits_u32(value)


def is_rand(value):
    """Whether a text is a crand or srand that is read at all, its length left aside."""
    return re.fullmatch(r"[0-9A-Fa-f]+", value) is not None


def value_findings(scheme, name, value, quoted):
    """The remarks on one value under NTLM, Kerberos or TLS-DSK."""
    findings = []
    if name in _QUOTED_NAMES and not quoted:
        findings.append("value-unquoted")
    if name == "version" and quoted:
        findings.append("version-quoted")
    if name == "version" and not re.fullmatch(r"[0-9]+", value):
        findings.append("version-malformed")
    if name == "gssapi-data" and base64_decode(value) is None:
        findings.append("token-not-base64")
    if name in ("crand", "srand"):
        findings += _rand_findings(value)
    if name in ("cnum", "snum"):
        findings += _number_findings(value)
    if name in ("response", "rspauth") and not base16_decode(value):
        findings.append("signature-not-hex")
    if name == "qop" and value != "auth":
        findings.append("qop-not-auth")
    if name == "sts-uri" and scheme != "tls-dsk":
        findings.append("sts-uri-misplaced")
    if name == "targetname" and value.startswith("sip/") != (scheme == "kerberos"):
        findings.append("targetname-form")
    return findings


def _rand_findings(value):
    if value and not is_rand(value):
        return ["rand-not-hex"]
    return [] if len(value) == 8 else ["rand-length"]


def _number_findings(value):
    if not is_number(value):
        return ["number-malformed"]
    return ["number-zero-padded"] if value.startswith("0") else []


# ---------------------------------------------------------------- operations
def auth_header(inputs):
    """Operation `auth_header`."""
    header = AuthHeader(inputs.text("header"))
    return {"scheme": header.scheme, "params": header.params, "findings": header.findings}


def _written(pair):
    """One parameter: everything in quotation marks but the version, and nothing escaped."""
    if not isinstance(pair, list) or len(pair) != 2:
        raise Malformed("params: not a name and a value")
    name, value = (utf8_text("params", part) for part in pair)
    if not TOKEN.fullmatch(name):
        raise Malformed("params: a name that is no token")
    if any(character in value for character in '"\r\n\0'):
        raise Malformed(f"params: {name} holds what a quoted value cannot")
    if name.lower() != "version":
        return f'{name}="{value}"'
    if not re.fullmatch(r"[0-9]+", value):
        raise Malformed("params: version is no number")
    return f"{name}={value}"


def auth_write(inputs):
    """Operation `auth_write`."""
    scheme, params = inputs.text("scheme"), inputs.items("params")
    if scheme.lower() not in _SIGNING_SCHEMES:
        raise Unsupported(f"scheme {scheme}")
    written = [_written(pair) for pair in params]
    names = [pair[0].lower() for pair in params]
    if len(set(names)) < len(names):
        raise Malformed("params: a name that comes again")
    return {"header": f"{SCHEMES[scheme.lower()]} {', '.join(written)}".rstrip()}


OPERATIONS = {"auth_header": auth_header, "auth_write": auth_write}
