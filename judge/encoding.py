"""Base16, Base64, and the three forms of an endpoint: epid, instance UUID, GRUU."""
import base64
import hashlib
import re
import uuid

from values import Malformed

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
# [MS-SIPRE] 4.2: the name space of the instance UUIDs, hashed in the octet order of a GUID in memory.
_EPID_NAMESPACE = uuid.UUID("fcacfb03-8a73-46ef-91b1-e5ebeeaba4fe")


def base16_decode(text):
    """Octets of strict hexadecimal, either letter case; None is refusal."""
    if not re.fullmatch(r"([0-9A-Fa-f]{2})*", text):
        return None
    return bytes.fromhex(text)


def base64_decode(text):
    """Octets of strict RFC 4648 section 4: padded, no blanks, unused bits zero; None is refusal."""
    if len(text) % 4 or not re.fullmatch(r"[A-Za-z0-9+/]*={0,2}", text):
        return None
    bits, count, out = 0, 0, bytearray()
    for character in text.rstrip("="):
        bits = bits << 6 | _ALPHABET.index(character)
        count += 6
        if count >= 8:
            count -= 8
            out.append(bits >> count)
            bits &= (1 << count) - 1
    if bits or count >= 6:
        return None
    return bytes(out)


def epid_to_uuid(epid):
    """The UUID of +sip.instance: a name-based UUID of version 5, but in GUID octet order at both ends."""
    digest = bytearray(hashlib.sha1(_EPID_NAMESPACE.bytes_le + epid.encode("utf-8")).digest()[:16])
    digest[7] = digest[7] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    return str(uuid.UUID(bytes_le=bytes(digest)))


def base16(inputs):
    """Operation `base16`."""
    octets = base16_decode(inputs.text("text"))
    if octets is None:
        return {"decoded": None}
    return {"decoded": octets.hex(), "canonical_lower": octets.hex(), "canonical_upper": octets.hex().upper()}


def base64_(inputs):
    """Operation `base64`."""
    octets = base64_decode(inputs.text("text"))
    return {"decoded": None if octets is None else octets.hex()}


def epid_uuid(inputs):
    """Operation `epid_uuid`."""
    epid = inputs.text("epid")
    if not re.fullmatch(r"[\x21-\x7e]*", epid):
        raise Malformed("epid: not visible ASCII")
    return {"uuid": epid_to_uuid(epid)}


def uuid_gruu(inputs):
    """Operation `uuid_gruu`: the octets of the GUID and two zeros in URL-safe Base64 without padding."""
    text = inputs.text("uuid")
    if not re.fullmatch(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", text):
        raise Malformed("uuid: not a UUID")
    octets = uuid.UUID(text).bytes_le + b"\0\0"
    return {"gruu_epid": base64.urlsafe_b64encode(octets).decode().rstrip("=")}


def sipe_epid(inputs):
    """Operation `sipe_epid`: the last twelve digits of a SHA-1."""
    parts = (inputs.text(name) for name in ("self_uri", "hostname", "ip"))
    return {"epid": hashlib.sha1(":".join(parts).encode("utf-8")).hexdigest()[-12:]}


OPERATIONS = {
    "base16": base16,
    "base64": base64_,
    "epid_uuid": epid_uuid,
    "uuid_gruu": uuid_gruu,
    "sipe_epid": sipe_epid,
}
