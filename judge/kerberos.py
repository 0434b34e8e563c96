"""Kerberos as SIP uses it: RFC 3961 and 3962 keys, AP-REQ and AP-REP, and the MIC tokens of RFC 1964, 4757, 4121."""
import hashlib
import struct
from math import gcd

from ntlm import NTOWFv1
from primitives import aes_cbc, aes_cts_encrypt, aes_ecb, des_cbc, hmac_, rc4
from sip import signature_buffer_of
from values import Malformed, Unsupported

KRB5_OID = bytes.fromhex("06092a864886f712010202")
AES = (17, 18)
DES = (1, 3)
RC4_HMAC = 23
ENCTYPES = AES + DES + (RC4_HMAC,)
# RFC 4121 section 2: key usage numbers of GSS_GetMIC, by who signs.
_USAGE_SIGN = {"initiator": 25, "acceptor": 23}
_CHECKSUM_RC4 = b"\x01\x01\x11\x00\xff\xff\xff\xff"
_CHECKSUM_DES = b"\x01\x01\x00\x00\xff\xff\xff\xff"


def key_length(enctype):
    """Octets of a key."""
    return {17: 16, 18: 32, 23: 16, 1: 8, 3: 8}[enctype]


# ---------------------------------------------------------------- keys
def _rotate_right(octets, bits):
    width = 8 * len(octets)
    value, bits = int.from_bytes(octets, "big"), bits % width
    rotated = (value >> bits | value << (width - bits)) & ((1 << width) - 1)
    return rotated.to_bytes(len(octets), "big")


def n_fold(octets, length):
    """RFC 3961 section 5.1: copies, each rotated by 13 bits more, added in one's complement."""
    copies = length // gcd(len(octets), length)
    long = b"".join(_rotate_right(octets, 13 * i) for i in range(copies))
    total = sum(int.from_bytes(long[i:i + length], "big") for i in range(0, len(long), length))
    top = (1 << 8 * length) - 1
    while total > top:
        total = (total & top) + (total >> 8 * length)
    return total.to_bytes(length, "big")


def derive_key(key, constant):
    """DK of RFC 3961 for AES."""
    block = constant if len(constant) == 16 else n_fold(constant, 16)
    out = b""
    while len(out) < len(key):
        block = aes_ecb(key, block)
        out += block
    return out[:len(key)]


def string_to_key(password, salt, iterations, length):
    """RFC 3962 section 4: what PBKDF2 gives, and the key derived from it."""
    intermediate = hashlib.pbkdf2_hmac("sha1", password, salt, iterations, length)
    return intermediate, derive_key(intermediate, b"kerberos")


def _usage_key(key, usage, purpose):
    return derive_key(key, struct.pack(">IB", usage, purpose))


# ---------------------------------------------------------------- MIC tokens
def _frame(inner):
    return b"\x60" + bytes([len(KRB5_OID) + len(inner)]) + KRB5_OID + inner


def _direction(sender):
    return (b"\xff" if sender == "acceptor" else b"\0") * 4


def mic_aes(key, message, sequence, sender, acceptor_subkey):
    """RFC 4121 section 4.2.6.1."""
    flags = (1 if sender == "acceptor" else 0) | (4 if acceptor_subkey else 0)
    header = b"\x04\x04" + bytes([flags]) + b"\xff" * 5 + struct.pack(">Q", sequence)
    return header + _aes_checksum(key, message + header, sender)


def _aes_checksum(key, covered, sender):
    return hmac_("sha1", _usage_key(key, _USAGE_SIGN[sender], 0x99), covered)[:12]


def _rc4_checksum(key, message):
    inner = hashlib.md5(struct.pack("<I", 15) + _CHECKSUM_RC4 + message).digest()
    return hmac_("md5", hmac_("md5", key, b"signaturekey\0"), inner)[:8]


def _rc4_sequence_key(key, checksum):
    return hmac_("md5", hmac_("md5", key, bytes(4)), checksum)


def mic_rc4(key, message, sequence, sender):
    """RFC 4757 section 7.2; the number is big-endian."""
    checksum = _rc4_checksum(key, message)
    plain = struct.pack(">I", sequence) + _direction(sender)
    return _frame(_CHECKSUM_RC4 + rc4(_rc4_sequence_key(key, checksum), plain) + checksum)


def _des_checksum(key, message):
    return des_cbc(key, bytes(8), hashlib.md5(_CHECKSUM_DES + message).digest())[-8:]


def mic_des(key, message, sequence, sender):
    """RFC 1964 section 1.2.1 with SGN_ALG 0; the number is little-endian."""
    checksum = _des_checksum(key, message)
    plain = struct.pack("<I", sequence) + _direction(sender)
    return _frame(_CHECKSUM_DES + des_cbc(key, checksum, plain) + checksum)


def verify_aes(key, message, sender, token):
    """Whether an RFC 4121 token is one of `sender`; the number itself is not looked at."""
    if len(token) != 28 or token[:2] != b"\x04\x04" or token[3:8] != b"\xff" * 5:
        return False
    if bool(token[2] & 1) != (sender == "acceptor"):
        return False
    return _aes_checksum(key, message + token[:16], sender) == token[16:]


def verify_rfc1964(enctype, key, message, sender, token):
    """Whether an RFC 1964 or 4757 token is one of `sender`; the number itself is not looked at."""
    head = _CHECKSUM_RC4 if enctype == RC4_HMAC else _CHECKSUM_DES
    if len(token) != 37 or token[:21] != b"\x60\x23" + KRB5_OID + head:
        return False
    hidden, checksum = token[21:29], token[29:]
    if enctype == RC4_HMAC:
        plain = rc4(_rc4_sequence_key(key, checksum), hidden)
        good = _rc4_checksum(key, message)
    else:
        plain = des_cbc(key, checksum, hidden, decrypt=True)
        good = _des_checksum(key, message)
    return checksum == good and plain[4:] == _direction(sender)


# ---------------------------------------------------------------- decryption and DER
def _cts_decrypt(key, data):
    """CBC with ciphertext stealing as in RFC 3962: the last two blocks are always swapped."""
    if len(data) < 16:
        raise ValueError("ciphertext too short")
    if len(data) == 16:
        return aes_ecb(key, data, True)
    last = len(data) % 16 or 16
    body, swapped, rest = data[:-16 - last], data[-16 - last:-last], data[-last:]
    previous = body[-16:] if body else bytes(16)
    decrypted = aes_ecb(key, swapped, True)
    block = rest + decrypted[last:]
    tail = bytes(a ^ b for a, b in zip(decrypted, block))[:last]
    middle = bytes(a ^ b for a, b in zip(aes_ecb(key, block, True), previous))
    return aes_cbc(key, bytes(16), body, True) + middle + tail


def decrypt(enctype, key, usage, data):
    """The plain text behind the confounder, if the checksum is right."""
    if enctype in AES:
        cipher, checksum = data[:-12], data[-12:]
        plain = _cts_decrypt(_usage_key(key, usage, 0xAA), cipher)
        good, confounder = hmac_("sha1", _usage_key(key, usage, 0x55), plain)[:12], 16
    elif enctype == RC4_HMAC:
        checksum, cipher = data[:16], data[16:]
        usage_key = hmac_("md5", key, struct.pack("<I", usage))
        plain = rc4(hmac_("md5", usage_key, checksum), cipher)
        good, confounder = hmac_("md5", usage_key, plain), 8
    else:
        raise Unsupported(f"decryption with encryption type {enctype}")
    if good != checksum:
        raise ValueError("integrity check failed")
    return plain[confounder:]


def der(octets):
    """Tag, content and rest of a DER value; Kerberos has tags of one octet only."""
    tag, length, at = octets[0], octets[1], 2
    if length & 0x80:
        width = length & 0x7F
        length, at = int.from_bytes(octets[2:2 + width], "big"), 2 + width
    if at + length > len(octets):
        raise ValueError("DER value cut short")
    return tag, octets[at:at + length], octets[at + length:]


def der_members(octets):
    """The tagged members of a SEQUENCE, whatever application tags are around it, by number."""
    tag, content, _ = der(octets)
    while tag != 0x30:
        tag, content, _ = der(content)
    members = {}
    while content:
        tag, value, content = der(content)
        members[tag & 0x1F] = value
    return members


def der_integer(octets):
    """An INTEGER that is not negative."""
    return int.from_bytes(der(octets)[1], "big")


def der_text(octets):
    """A character string."""
    return der(octets)[1].decode("utf-8")


def _principal(octets):
    parts, names = [], der(der_members(octets)[1])[1]
    while names:
        _, name, names = der(names)
        parts.append(name.decode("utf-8"))
    return "/".join(parts)


def _encrypted(octets):
    members = der_members(octets)
    return der_integer(members[0]), der(members[2])[1]


def _key(octets):
    if octets is None:
        return None, None
    members = der_members(octets)
    return der_integer(members[0]), der(members[1])[1].hex()


def _unframe(token):
    """Token identifier and body of a GSS token of Kerberos."""
    tag, body, rest = der(token)
    if tag != 0x60 or rest or not body.startswith(KRB5_OID):
        raise ValueError("no GSS token of Kerberos")
    inner = body[len(KRB5_OID):]
    return inner[:2].hex(), inner[2:]


def open_ap_req(token, service_key):
    """What an acceptor learns from an initial context token."""
    token_id, body = _unframe(token)
    request = der_members(body)
    ticket = der_members(request[3])
    ticket_etype, sealed = _encrypted(ticket[3])
    ticket_part = der_members(decrypt(ticket_etype, service_key, 2, sealed))
    session_keytype, session_key = _key(ticket_part[1])
    enctype, sealed = _encrypted(request[4])
    authenticator = der_members(decrypt(enctype, bytes.fromhex(session_key), 11, sealed))
    checksum = der_members(authenticator[3])
    subkey_type, subkey = _key(authenticator.get(6))
    return {
        "token_id": token_id, "ticket_etype": ticket_etype, "realm": der_text(ticket[1]),
        "sname": _principal(ticket[2]), "client": _principal(ticket_part[3]),
        "client_realm": der_text(ticket_part[2]), "authenticator_client": _principal(authenticator[2]),
        "session_keytype": session_keytype, "session_key": session_key, "subkey_type": subkey_type,
        "subkey": subkey, "seq": der_integer(authenticator[7]), "checksum_type": der_integer(checksum[0]),
        "gss_flags": struct.unpack_from("<I", der(checksum[1])[1], 20)[0], "ctime": der_text(authenticator[5]),
        "mutual_required": bool(der(request[2])[1][1] & 0x20),
    }


# ---------------------------------------------------------------- operations
def nfold(inputs):
    """Operation `nfold`; `length` is the number of octets that are asked for."""
    if not inputs.has("length"):
        raise Unsupported("nfold without the length of the output")
    data = inputs.octets("data", range(1, 1 << 16))
    return {"output": n_fold(data, inputs.number("length", 1, 1 << 16)).hex()}


def aes_cts(inputs):
    """Operation `aes_cts`; the initial vector is zero."""
    key, data = inputs.octets("key", (16, 32)), inputs.octets("data")
    if len(data) < 16:
        raise Malformed("data: less than a block")
    return {"output": aes_cts_encrypt(key, bytes(16), data).hex()}


def krb_dk(inputs):
    """Operation `krb_dk`."""
    key = inputs.octets("key", key_length(inputs.word("enctype", AES)))
    return {"derived": derive_key(key, inputs.octets("constant", range(1, 1 << 16))).hex()}


def krb_string_to_key_aes(inputs):
    """Operation `krb_string_to_key_aes`."""
    length = key_length(inputs.word("enctype", AES))
    intermediate, key = string_to_key(inputs.text("password").encode("utf-8"), inputs.octets("salt_hex"),
                                      inputs.number("iterations", 1, 1 << 20), length)
    return {"pbkdf2": intermediate.hex(), "key": key.hex()}


def krb_string_to_key_rc4(inputs):
    """Operation `krb_string_to_key_rc4`: RFC 4757 takes the hash of NTLM."""
    return {"key": NTOWFv1(inputs.text("password")).hex()}


def _mic_message(inputs):
    if inputs.has("message_hex"):
        return inputs.octets("message_hex")
    message = inputs.text("message")
    if inputs.has("buffer_of"):
        of = inputs.inner("buffer_of")
        if signature_buffer_of(of, of.word("version", (2, 3, 4))) != message:
            raise Malformed("buffer_of: the message is not that signature buffer")
    return message.encode("utf-8")


def gss_mic(inputs):
    """Operation `gss_mic`."""
    enctype, sender = inputs.word("enctype", ENCTYPES), inputs.word("sender", tuple(_USAGE_SIGN))
    key, message = inputs.octets("key", key_length(enctype)), _mic_message(inputs)
    if enctype in AES:
        token = mic_aes(key, message, inputs.number("seq", high=(1 << 64) - 1), sender, inputs.flag("acceptor_subkey"))
    else:
        make = mic_rc4 if enctype == RC4_HMAC else mic_des
        token = make(key, message, inputs.number("seq"), sender)
    return {"token": token.hex()}


def gss_mic_verify(inputs):
    """Operation `gss_mic_verify`."""
    enctype, sender = inputs.word("enctype", ENCTYPES), inputs.word("sender", tuple(_USAGE_SIGN))
    key, token = inputs.octets("key", key_length(enctype)), inputs.octets("token")
    message = inputs.text("message").encode("utf-8")
    if enctype in AES:
        return {"valid": verify_aes(key, message, sender, token)}
    return {"valid": verify_rfc1964(enctype, key, message, sender, token)}


def gss_mic_parse(inputs):
    """Operation `gss_mic_parse`."""
    token = inputs.octets("token")
    if len(token) == 28 and token[:2] == b"\x04\x04":
        return {"form": "rfc4121", "flags": token[2], "filler_ok": token[3:8] == b"\xff" * 5,
                "seq": int.from_bytes(token[8:16], "big"), "checksum": token[16:].hex()}
    if len(token) != 37 or token[:13] != b"\x60\x23" + KRB5_OID:
        raise Malformed("token: neither RFC 4121 nor RFC 1964")
    return {"form": "rfc1964", "token_id": token[13:15].hex(), "sgn_alg": token[15:17].hex(),
            "filler_ok": token[17:21] == b"\xff" * 4, "snd_seq_encrypted": token[21:29].hex(),
            "checksum": token[29:].hex()}


def _opened(open_token):
    """The result of taking a token apart; whatever is wrong inside is the fault of the token or its key."""
    try:
        return open_token()
    except (ValueError, IndexError, KeyError, struct.error) as error:
        raise Malformed(f"token: cannot be opened ({error})") from None


def krb_ap_req(inputs):
    """Operation `krb_ap_req`."""
    enctype, password = inputs.word("enctype", ENCTYPES), inputs.text("service_password")
    if enctype in DES:
        raise Unsupported(f"encryption type {enctype}")
    salt = inputs.text("service_salt").encode("utf-8")
    if enctype == RC4_HMAC:
        key = NTOWFv1(password)
    else:
        key = string_to_key(password.encode("utf-8"), salt, 4096, key_length(enctype))[1]
    token = inputs.octets("token")
    return {"service_key": key.hex(), **_opened(lambda: open_ap_req(token, key))}


def open_ap_rep(token, session_key):
    """What an initiator learns from the acceptor's answer."""
    token_id, body = _unframe(token)
    enctype, sealed = _encrypted(der_members(body)[2])
    part = der_members(decrypt(enctype, session_key, 12, sealed))
    subkey_type, subkey = _key(part.get(2))
    return {"token_id": token_id, "ctime": der_text(part[0]), "subkey_type": subkey_type, "subkey": subkey,
            "seq": der_integer(part[3])}


def krb_ap_rep(inputs):
    """Operation `krb_ap_rep`."""
    key = inputs.octets("session_key", key_length(inputs.word("enctype", ENCTYPES)))
    token = inputs.octets("token")
    return _opened(lambda: open_ap_rep(token, key))


OPERATIONS = {function.__name__: function for function in (
    nfold, aes_cts, krb_dk, krb_string_to_key_aes, krb_string_to_key_rc4, gss_mic, gss_mic_verify, gss_mic_parse,
    krb_ap_req, krb_ap_rep)}
