"""Digest of RFC 7616 (and RFC 2617), as the anonymous join of [MS-SIPAE] 4.5 uses it."""
import hashlib

from values import Unsupported

_HASHES = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}


class Responder:
    """The inputs of one response and the hash function that its algorithm names."""

    def __init__(self, inputs):
        self.inputs = inputs
        self.algorithm = inputs.text("algorithm").upper()
        self.session = self.algorithm.endswith("-SESS")
        self.hash_name = _HASHES.get(self.algorithm.removesuffix("-SESS"))
        if self.hash_name is None:
            raise Unsupported(f"algorithm {inputs.text('algorithm')}")
        self.qop = inputs.word("qop", ("auth", "auth-int")) if inputs.has("qop") else None

    def h(self, *parts):
        """H of the parts with colons between them."""
        return hashlib.new(self.hash_name, ":".join(parts).encode("utf-8")).hexdigest()

    def body(self, name):
        """H(entity-body)."""
        return hashlib.new(self.hash_name, self.inputs.octets(name)).hexdigest()

    def ha1(self):
        """H(A1), with nonce and cnonce of the session for the -sess algorithms."""
        text = self.inputs.text
        ha1 = self.h(text("username"), text("realm"), text("password"))
        return self.h(ha1, text("nonce"), text("cnonce")) if self.session else ha1

    def ha2(self, method, body_name):
        """H(A2); in the answer of a server the method is empty."""
        parts = [method, self.inputs.text("uri")]
        if self.qop == "auth-int":
            parts.append(self.body(body_name))
        return self.h(*parts)

    def response(self, ha2):
        """request-digest or response-digest."""
        text = self.inputs.text
        if self.qop is None:
            return self.h(self.ha1(), text("nonce"), ha2)
        return self.h(self.ha1(), text("nonce"), text("nc"), text("cnonce"), self.qop, ha2)


def digest(inputs):
    """Operation `digest`."""
    responder = Responder(inputs)
    ha2 = responder.ha2(inputs.text("method"), "body_hex")
    answer = {"ha1": responder.ha1(), "ha2": ha2, "response": responder.response(ha2)}
    if inputs.has("userhash_of"):
        answer["userhash"] = responder.h(inputs.text("userhash_of"), inputs.text("realm"))
    if inputs.has("want_rspauth") and inputs.flag("want_rspauth"):
        answer["rspauth"] = responder.response(responder.ha2("", "rsp_body_hex"))
    return answer


def digest_mismatch(inputs):
    """Operation `digest_mismatch`: the digits are compared as RFC 2617 3.2.2 writes them, in lower case."""
    responder = Responder(inputs)
    response = responder.response(responder.ha2(inputs.text("method"), "body_hex"))
    return {"matches": response == inputs.text("claimed_response")}


OPERATIONS = {"digest": digest, "digest_mismatch": digest_mismatch}
