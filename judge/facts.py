"""Facts of a whole message, and the findings about it, for the operation `sip_message`.

What cannot be read is left out of the facts; its finding says so.
"""
import re

from authheader import AuthHeader
from encoding import epid_to_uuid
from sip import TOKEN, BadAddress, Message, Unreadable, cseq, identities, read_address, split_list
from values import Malformed

AUTH_NAMES = {name.lower(): name for name in (
    "Authorization", "Proxy-Authorization", "WWW-Authenticate", "Proxy-Authenticate", "Authentication-Info",
    "Proxy-Authentication-Info")}
_MANDATORY = ("via", "from", "to", "call-id", "cseq")
_ONCE = ("from", "to", "call-id", "cseq", "expires", "max-forwards", "content-length")
EPID_LENGTH = 16


class Facts:
    """Collects facts and findings of one message."""

    def __init__(self, message):
        self.message, self.facts, self.findings = message, {}, set()
        self._start_line()
        self._presence()
        self._plain_fields()
        self._cseq()
        self._party("from")
        self._party("to")
        self._contact()
        self.facts["sip_identity"], self.facts["tel_identity"] = identities(message)
        self._via()
        self._angles()

    def answer(self):
        """The answer of `sip_message`; a member without value is left out."""
        answer = {name: value for name, value in self.facts.items() if value is not None}
        answer["auth"] = [_auth(name, raw) for name, raw in self.message.fields if name in AUTH_NAMES]
        answer["findings"] = sorted(self.findings)
        return answer

    def _start_line(self):
        message = self.message
        if message.status is None:
            self.facts.update(kind="request", method=message.method, request_uri=message.uri)
        else:
            self.facts.update(kind="response", status=int(message.status), reason=message.reason)

    def _presence(self):
        mandatory = _MANDATORY if self.message.status else _MANDATORY + ("max-forwards",)
        if not all(self.message.values(name) for name in mandatory):
            self.findings.add("header-missing")
        if any(len(self.message.values(name)) > 1 for name in _ONCE):
            self.findings.add("header-duplicate")
        if not self.message.values("content-length"):
            self.findings.add("content-length-missing")

    def _plain_fields(self):
        self.facts["call_id"] = self.message.single("call-id")
        self.facts["expires"] = self.message.single("expires")

    def _cseq(self):
        number = cseq(self.message)
        if number is None:
            if len(self.message.values("cseq")) == 1:
                self.findings.add("cseq-malformed")
            return
        self.facts["cseq_number"], self.facts["cseq_method"] = number
        if self.message.method and self.message.method != number[1]:
            self.findings.add("cseq-method-mismatch")

    def _address(self, value):
        """An address with its findings; None where there is none that can be read."""
        try:
            address = read_address(value)
        except BadAddress as bad:
            self.findings.add(str(bad))
            return None
        self.findings.update(address.findings)
        return address

    def _party(self, name):
        """From or To: URI, tag and endpoint identifier."""
        value = self.message.single(name)
        address = None if value is None else self._address(value)
        if address is None:
            return
        tag, epid = address.parameter("tag"), address.parameter("epid")
        self.facts.update({f"{name}_uri": address.uri, f"{name}_tag": tag, f"{name}_epid": epid})
        if name == "from" and tag is None:
            self.findings.add("from-tag-missing")
        if epid is not None and not TOKEN.fullmatch(epid):
            self.findings.add("epid-malformed")
        if epid is not None and len(epid) > EPID_LENGTH:
            self.findings.add("epid-too-long")

    def _contact(self):
        """The first contact; one of a request must have the instance that follows from the epid of From."""
        values = self.message.values("contact")
        if not values or values[0] == "*":
            return
        address = self._address(split_list(values[0])[0])
        if address is None:
            return
        instance = re.fullmatch(r"<urn:uuid:([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})>",
                                (address.parameter("+sip.instance") or "").lower())
        self.facts["contact_uri"] = address.uri
        self.facts["contact_gruu"] = address.parameter("gruu")
        self.facts["contact_instance"] = instance[1] if instance else None
        epid = self.facts.get("from_epid")
        if self.message.method and epid and instance and epid_to_uuid(epid) != instance[1]:
            self.findings.add("instance-mismatch")

    def _via(self):
        """The branch of the topmost Via has the magic cookie of RFC 3261 8.1.1.7."""
        values = self.message.values("via")
        if not values:
            return
        parameters = [p.partition("=") for p in split_list(split_list(values[0])[0], ";")[1:]]
        branches = [value.strip() for name, _, value in parameters if name.strip().lower() == "branch"]
        if not any(branch.lower().startswith("z9hg4bk") for branch in branches):
            self.findings.add("via-branch-missing")

    def _angles(self):
        """The signature buffer has no escaping: a covered value with a bracket makes it ambiguous."""
        covered = ("call_id", "from_uri", "from_tag", "to_uri", "to_tag", "expires", "sip_identity", "tel_identity")
        if any(c in (self.facts.get(name) or "") for name in covered for c in "<>"):
            self.findings.add("angle-in-value")


def _auth(name, raw):
    header = AuthHeader(raw)
    return {"header": AUTH_NAMES[name], "scheme": header.scheme, "params": header.params,
            "findings": header.findings}


def sip_message(inputs):
    """Operation `sip_message`."""
    try:
        message = Message(inputs.text("message"))
    except Unreadable as reason:
        raise Malformed(f"message: {reason}") from None
    return Facts(message).answer()


OPERATIONS = {"sip_message": sip_message}
