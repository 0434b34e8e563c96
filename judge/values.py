"""The inputs of one request, read with care.

A judge must not crash on odd inputs and must say which input is at fault, so every operation reads its
inputs through `Inputs`; whatever does not have the type of docs/codec-protocol.md raises `Malformed`.
"""
import re

_HEX = re.compile(r"([0-9A-Fa-f]{2})*")
U32_MAX = 0xFFFFFFFF


class Malformed(Exception):
    """Nothing can be computed from the inputs; the text names the input and says why."""


class Unsupported(Exception):
    """The operation, or this use of it, is not done here; the text says what is missing."""


class Inputs:
    """Typed access to the `inputs` of a request."""

    def __init__(self, members):
        if not isinstance(members, dict):
            raise Malformed("inputs: not an object")
        self.members = members

    def has(self, name):
        """Whether an optional input is there; null is the same as absent."""
        return self.members.get(name) is not None

    def _get(self, name, kind, called):
        value = self.members.get(name)
        if value is None:
            raise Malformed(f"{name}: missing")
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise Malformed(f"{name}: not {called}")
        return value

    def text(self, name):
        """Text that has a UTF-8 form: a lone surrogate is no character."""
        return utf8_text(name, self._get(name, str, "a string"))

    def octets(self, name, length=None):
        """Octets, of one of the given lengths where only those make sense."""
        octets = from_hex(name, self._get(name, str, "a string"))
        allowed = (length,) if isinstance(length, int) else length
        if allowed is not None and len(octets) not in allowed:
            raise Malformed(f"{name}: {len(octets)} octets, not {' or '.join(map(str, allowed))}")
        return octets

    def number(self, name, low=0, high=U32_MAX):
        """An integer from `low` to `high`."""
        number = self._get(name, int, "an integer")
        if not low <= number <= high:
            raise Malformed(f"{name}: not from {low} to {high}")
        return number

    def flag(self, name):
        """A boolean."""
        return self._get(name, bool, "a boolean")

    def word(self, name, allowed):
        """One of a few values."""
        value = self.members.get(name)
        if isinstance(value, bool) or value not in allowed:
            raise Malformed(f"{name}: not one of {', '.join(map(str, allowed))}")
        return value

    def items(self, name):
        """An array, whatever its items are."""
        return self._get(name, list, "an array")

    def inner(self, name):
        """An object that is itself read like inputs."""
        return Inputs(self._get(name, dict, "an object"))


def from_hex(name, text):
    """Octets of pairs of hexadecimal digits and nothing else (`bytes.fromhex` skips blanks)."""
    if not isinstance(text, str) or not _HEX.fullmatch(text):
        raise Malformed(f"{name}: not pairs of hexadecimal digits")
    return bytes.fromhex(text)


def utf8_text(name, text):
    """`text`, if it is a string that can be put on the wire."""
    if not isinstance(text, str):
        raise Malformed(f"{name}: not a string")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise Malformed(f"{name}: a lone surrogate") from None
    return text
