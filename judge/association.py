"""What a security association does with signed messages: NTLM signatures and the replay window."""
from authheader import SCHEMES, AuthHeader, is_number, is_rand
from encoding import base16_decode
from ntlm import Signer, sip_signature, SIP_SEQUENCE
from sip import Message, Unreadable, signature_buffer, signature_buffer_of
from values import Malformed, U32_MAX, utf8_text

WINDOW = 256
# Per side that signs: where its signature stands, and under which names.
_FIELDS = {
    "client": ("authorization", "proxy-authorization"),
    "server": ("authentication-info", "proxy-authentication-info", "www-authenticate", "proxy-authenticate"),
}
_NAMES = {"client": ("crand", "cnum", "response"), "server": ("srand", "snum", "rspauth")}


class ReplayWindow:
    """The numbers of one direction of one association, [MS-SIPAE] 3.1.1.

    The span is from last - 256 to last; whether that is one number too wide is not judged.
    """

    def __init__(self):
        self.last, self.seen = 0, set()

    def accept(self, number):
        """Takes a number of a verified message, or leaves the window as it was."""
        if number == 0 or number in self.seen or number < self.last - WINDOW:
            return False
        self.last = max(self.last, number)
        self.seen = {seen for seen in self.seen if seen >= self.last - WINDOW} | {number}
        return True


def replay_window(inputs):
    """Operation `replay_window`."""
    window, accepted = ReplayWindow(), []
    for number in inputs.items("numbers"):
        if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number <= U32_MAX:
            raise Malformed("numbers: not 32-bit numbers")
        accepted.append(window.accept(number))
    return {"accepted": accepted}


def sip_ntlm_sign(inputs):
    """Operation `sip_ntlm_sign`."""
    buffer = signature_buffer_of(inputs, inputs.word("version", (2, 3, 4)))
    signer = Signer.of(inputs, datagram=True)
    pad = inputs.octets("random_pad", 4) if inputs.has("random_pad") else None
    if buffer is None:
        return {"buffer": None, "signature": None}
    return {"buffer": buffer, "signature": sip_signature(signer, buffer, pad).hex()}


class Verifier:
    """One direction of one association: the signing side, its keys, and the window of its numbers."""

    def __init__(self, inputs):
        self.side = inputs.word("signer", tuple(_FIELDS))
        self.version = inputs.word("version", (2, 3, 4))
        self.scheme, self.realm, self.targetname = (inputs.text(n) for n in ("scheme", "realm", "targetname"))
        self.signer, self.window = Signer.of(inputs, datagram=True), ReplayWindow()

    def outcome(self, text):
        """`accepted`, `replayed` or `refused`: first the signature, then, for a right one only, the window."""
        number = self._verified_number(text)
        if number is None:
            return "refused"
        return "accepted" if self.window.accept(number) else "replayed"

    def _verified_number(self, text):
        """The sequence number of a message whose signature is right, else None."""
        try:
            message = Message(text)
        except Unreadable:
            return None
        signature = self._signature(message)
        if signature is None:
            return None
        scheme, rand, number, token = signature
        buffer = signature_buffer(message, self.version, (scheme, rand, number, self.realm, self.targetname))
        if buffer is None or not self.signer.verify(buffer.encode("utf-8"), SIP_SEQUENCE, token):
            return None
        return int(number)

    def _signature(self, message):
        """Scheme, salt, number and token of the one field of this association; None without a usable one."""
        headers = [AuthHeader(raw) for name, raw in message.fields if name in _FIELDS[self.side]]
        own = [header for header in headers if self._is_own(header)]
        if len(own) != 1 or "param-duplicate" in own[0].findings:
            return None
        rand, number, signature = (own[0].params[name] for name in _NAMES[self.side])
        token = base16_decode(signature)
        if token is None or not is_rand(rand) or not (is_number(number) or number == "0"):
            return None
        # What is signed is the specification's spelling of the scheme, whatever that of the header field.
        return SCHEMES.get(own[0].known, own[0].scheme), rand, number, token

    def _is_own(self, header):
        """Whether a field is a signature of this association: credentials of others are left alone."""
        return (header.known == self.scheme.lower() and header.params.get("realm") == self.realm
                and header.params.get("targetname") == self.targetname
                and all(name in header.params for name in _NAMES[self.side]))


def sip_ntlm_verify(inputs):
    """Operation `sip_ntlm_verify`."""
    verifier = Verifier(inputs)
    messages = [utf8_text("messages", message) for message in inputs.items("messages")]
    return {"outcomes": [verifier.outcome(message) for message in messages]}


OPERATIONS = {function.__name__: function for function in (replay_window, sip_ntlm_sign, sip_ntlm_verify)}
