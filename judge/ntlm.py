"""NTLM as SIP uses it: hashes, responses, keys, message signatures and messages of [MS-NLMP].

Names in capitals are flags of [MS-NLMP] 2.2.2.5; functions carry the names of the specification.
"""
import base64
import hashlib
import struct
import zlib

from primitives import RC4, _des_block, des56, desl, hmac_, md4, rc4
from values import U32_MAX, Malformed, from_hex, utf8_text

FLAGS = {
    "UNICODE": 0x1, "OEM": 0x2, "REQUEST_TARGET": 0x4, "SIGN": 0x10, "SEAL": 0x20, "DATAGRAM": 0x40,
    "LM_KEY": 0x80, "NTLM": 0x200, "ANONYMOUS": 0x800, "OEM_DOMAIN_SUPPLIED": 0x1000,
    "OEM_WORKSTATION_SUPPLIED": 0x2000, "ALWAYS_SIGN": 0x8000, "TARGET_TYPE_DOMAIN": 0x10000,
    "TARGET_TYPE_SERVER": 0x20000, "EXTENDED_SESSIONSECURITY": 0x80000, "IDENTIFY": 0x100000,
    "REQUEST_NON_NT_SESSION_KEY": 0x400000, "TARGET_INFO": 0x800000, "VERSION": 0x2000000,
    "128": 0x20000000, "KEY_EXCH": 0x40000000, "56": 0x80000000,
}
AV_IDS = {
    "EOL": 0, "NbComputerName": 1, "NbDomainName": 2, "DnsComputerName": 3, "DnsDomainName": 4,
    "DnsTreeName": 5, "Flags": 6, "Timestamp": 7, "SingleHost": 8, "TargetName": 9, "ChannelBindings": 10,
}
_AV_TEXTS = (1, 2, 3, 4, 5, 9)
SIP_SEQUENCE = 100
# What a context answers that negotiated no signing; it proves nothing and never verifies (SIPAE-3.2.5.2-25).
DUMMY_TOKEN = struct.pack("<I", 1) + bytes(12)


def utf16(text):
    """Text in the encoding of NTLM."""
    return text.encode("utf-16-le")


def upper(text):
    """Upper case character by character: a character that would become two stays as it is."""
    return "".join(c.upper() if len(c.upper()) == 1 else c for c in text)


# ---------------------------------------------------------------- hashes and responses
def NTOWFv1(password):
    """[MS-NLMP] 3.3.1."""
    return md4(utf16(password))


def LMOWFv1(password):
    """[MS-NLMP] 3.3.1; passwords of the OEM character set only."""
    try:
        oem = upper(password).encode("latin-1")
    except UnicodeEncodeError:
        raise Malformed("password: not in the OEM character set") from None
    key = oem[:14].ljust(14, b"\0")
    return b"".join(_des_block(des56(key[i:i + 7]), b"KGS!@#$%") for i in (0, 7))


def NTOWFv2(password, user, domain):
    """[MS-NLMP] 3.3.2: the user in upper case, the domain as it is."""
    return hmac_("md5", NTOWFv1(password), utf16(upper(user) + domain))


def KXKEY(flags, session_base_key, lm_response, server_challenge, lm_hash):
    """[MS-NLMP] 3.4.5.1 for NTLMv1; with NTLMv2 the session base key is the key exchange key."""
    if flags & FLAGS["EXTENDED_SESSIONSECURITY"]:
        return hmac_("md5", session_base_key, server_challenge + lm_response[:8])
    if flags & FLAGS["LM_KEY"]:
        keys = lm_hash[:7], lm_hash[7:8] + b"\xbd" * 6
        return b"".join(_des_block(des56(key), lm_response[:8]) for key in keys)
    if flags & FLAGS["REQUEST_NON_NT_SESSION_KEY"]:
        return lm_hash[:8] + bytes(8)
    return session_base_key


# ---------------------------------------------------------------- keys
def _magic(mode, purpose):
    direction = "client-to-server" if mode == "client" else "server-to-client"
    return f"session key to {direction} {purpose} key magic constant".encode() + b"\0"


def SIGNKEY(flags, exported_session_key, mode):
    """[MS-NLMP] 3.4.5.2; there is no signing key without extended session security."""
    if not flags & FLAGS["EXTENDED_SESSIONSECURITY"]:
        return None
    return hashlib.md5(exported_session_key + _magic(mode, "signing")).digest()


def SEALKEY(flags, exported_session_key, mode, revision=0x0F):
    """[MS-NLMP] 3.4.5.3."""
    key = exported_session_key
    if flags & FLAGS["EXTENDED_SESSIONSECURITY"]:
        length = 16 if flags & FLAGS["128"] else 7 if flags & FLAGS["56"] else 5
        return hashlib.md5(key[:length] + _magic(mode, "sealing")).digest()
    if flags & FLAGS["LM_KEY"] or (flags & FLAGS["DATAGRAM"] and revision >= 0x0F):
        return key[:7] + b"\xa0" if flags & FLAGS["56"] else key[:5] + b"\xe5\x38\xb0"
    return key


def sealing_key_prime(seal_key, sequence):
    """[MS-NLMP] 3.4: the key of one message in connectionless mode."""
    return hashlib.md5(seal_key + struct.pack("<I", sequence)).digest()


# ---------------------------------------------------------------- signatures
class Signer:
    """The signing half of a security context: keys, mode, and the cipher where it goes on."""

    def __init__(self, ess, key_exchange, datagram, sign_key, seal_key):
        self.ess, self.key_exchange, self.datagram = ess, key_exchange, datagram
        self.sign_key, self.seal_key = sign_key, seal_key
        self.cipher = RC4(seal_key)

    @classmethod
    def of(cls, inputs, datagram):
        """From the inputs that the signing operations share."""
        ess = inputs.flag("extended_session_security")
        sign_key = inputs.octets("sign_key", 16) if ess else None
        seal_key = inputs.octets("seal_key", range(1, 257))
        return cls(ess, inputs.flag("key_exchange"), datagram, sign_key, seal_key)

    def start(self, sequence):
        """Begins a message: in datagram form with a new cipher, re-keyed under extended session security."""
        if self.datagram:
            key = sealing_key_prime(self.seal_key, sequence) if self.ess else self.seal_key
            self.cipher = RC4(key)

    def mac(self, message, sequence, random_pad=None):
        """[MS-NLMP] 3.4.4; without a pad the second word of the old form is what the cipher makes of zeros."""
        number = struct.pack("<I", sequence)
        if self.ess:
            checksum = hmac_("md5", self.sign_key, number + message)[:8]
            if self.key_exchange:
                checksum = self.cipher.update(checksum)
            return struct.pack("<I", 1) + checksum + number
        pad = self.cipher.update(bytes(4))
        checksum = self.cipher.update(struct.pack("<I", zlib.crc32(message)))
        tail = bytes(a ^ b for a, b in zip(self.cipher.update(bytes(4)), number))
        return struct.pack("<I", 1) + (pad if random_pad is None else random_pad) + checksum + tail

    def verify(self, message, sequence, token):
        """Whether the token is that of the message; the pad of the old form is not looked at."""
        if len(token) != 16 or token == DUMMY_TOKEN:
            return False
        self.start(sequence)
        return self.mac(message, sequence, token[4:8]) == token


def sip_signature(signer, buffer, random_pad=None):
    """The signature of a SIP message: always sequence number 100, whatever cnum and snum are."""
    signer.start(SIP_SEQUENCE)
    return signer.mac(buffer.encode("utf-8"), SIP_SEQUENCE, random_pad)


# ---------------------------------------------------------------- messages
def av_encode(pairs):
    """An AV_PAIR list, [MS-NLMP] 2.2.2.1."""
    out = b""
    for pair in pairs:
        if not isinstance(pair, list) or len(pair) != 2 or pair[0] not in AV_IDS:
            raise Malformed("pairs: not a name of [MS-NLMP] 2.2.2.1 and a value")
        number = AV_IDS[pair[0]]
        if number == 0:
            value = b""
        elif number in _AV_TEXTS:
            value = utf16(utf8_text("pairs", pair[1]))
        else:
            value = from_hex("pairs", pair[1])
        out += struct.pack("<HH", number, len(value)) + value
    return out


def _payload(name, message, at):
    """What a field descriptor (length, space, offset) points at."""
    length, _, offset = struct.unpack_from("<HHI", message, at)
    if offset + length > len(message):
        raise Malformed(f"{name}: a field lies outside the message")
    return message[offset:offset + length]


def _check(name, message, kind, length):
    if len(message) < length or message[:12] != b"NTLMSSP\0" + struct.pack("<I", kind):
        raise Malformed(f"{name}: no NTLM message of type {kind}")


class Challenge:
    """What is needed of a CHALLENGE message."""

    def __init__(self, message):
        _check("challenge", message, 2, 32)
        self.server_challenge = message[24:32]


class Authenticate:
    """What is needed of an AUTHENTICATE message."""

    def __init__(self, message):
        _check("authenticate", message, 3, 64)
        read = lambda at: _payload("authenticate", message, at)
        self.nt_response = read(20)
        self.encrypted_session_key = read(52)
        self.flags = struct.unpack_from("<I", message, 60)[0]
        try:
            self.domain, self.user = read(28).decode("utf-16-le"), read(36).decode("utf-16-le")
        except UnicodeDecodeError:
            raise Malformed("authenticate: a name is not UTF-16") from None

    def proves(self, response_key, server_challenge):
        """Whether the NTLMv2 response is that of the key; shorter than its fixed part it is none."""
        proof, temp = self.nt_response[:16], self.nt_response[16:]
        return len(temp) >= 32 and hmac_("md5", response_key, server_challenge + temp) == proof


# Per message type: fixed part before the payload, and the payload fields in the order of their descriptors.
_LAYOUTS = {
    "negotiate": (40, ("domain", "workstation")),
    "challenge": (56, ("target_name", "target_info")),
    "authenticate": (72, ("lm_response", "nt_response", "domain", "user", "workstation", "encrypted_session_key")),
}
_OCTET_FIELDS = ("target_info", "lm_response", "nt_response", "encrypted_session_key")


def _field_octets(kind, name, fields):
    if name in _OCTET_FIELDS:
        return fields.octets(name)
    text = fields.text(name)
    return text.encode("utf-8") if kind == "negotiate" else utf16(text)


def _descriptors(kind, base, names, fields, order):
    """Field descriptors by name, and the payload in the order that is asked for."""
    absent = fields.members.get("zero_descriptors", [])
    descriptors, payload = {name: bytes(8) for name in names}, b""
    for name in order:
        if name not in names:
            raise Malformed("payload_order: a field that the message does not have")
        octets = _field_octets(kind, name, fields)
        if name not in absent:
            descriptors[name] = struct.pack("<HHI", len(octets), len(octets), base + len(payload))
        payload += octets
    return descriptors, payload


def build_message(kind, fields, order):
    """A whole message from its fields, [MS-NLMP] 2.2.1."""
    base, names = _LAYOUTS[kind]
    mic = fields.octets("mic", 16) if fields.has("mic") else b""
    version = fields.octets("version", 8) if fields.has("version") else bytes(8)
    flags = struct.pack("<I", fields.number("flags"))
    d, payload = _descriptors(kind, base + len(mic), names, fields, order)
    if kind == "negotiate":
        return b"NTLMSSP\0" + struct.pack("<I", 1) + flags + d["domain"] + d["workstation"] + version + payload
    if kind == "challenge":
        challenge = fields.octets("server_challenge", 8)
        return (b"NTLMSSP\0" + struct.pack("<I", 2) + d["target_name"] + flags + challenge + bytes(8)
                + d["target_info"] + version + payload)
    return b"NTLMSSP\0" + struct.pack("<I", 3) + b"".join(d[n] for n in names) + flags + version + mic + payload


# ---------------------------------------------------------------- operations
def ntlm_flags(inputs):
    """Operation `ntlm_flags`."""
    value = 0
    for name in inputs.items("names"):
        if not isinstance(name, str) or name not in FLAGS:
            raise Malformed("names: a flag that [MS-NLMP] 2.2.2.5 does not have")
        value |= FLAGS[name]
    return {"value": value, "wire_le": struct.pack("<I", value).hex()}


def ntowfv1(inputs):
    """Operation `ntowfv1`."""
    return {"nt_hash": NTOWFv1(inputs.text("password")).hex()}


def lmowfv1(inputs):
    """Operation `lmowfv1`."""
    return {"lm_hash": LMOWFv1(inputs.text("password")).hex()}


def ntowfv2(inputs):
    """Operation `ntowfv2`."""
    return {"key": NTOWFv2(*(inputs.text(name) for name in ("password", "user", "domain"))).hex()}


def ntlmv1_response(inputs):
    """Operation `ntlmv1_response`, [MS-NLMP] 3.3.1."""
    flags = inputs.number("flags")
    nt_hash, lm_hash = inputs.octets("nt_hash", 16), inputs.octets("lm_hash", 16)
    server, client = inputs.octets("server_challenge", 8), inputs.octets("client_challenge", 8)
    if flags & FLAGS["EXTENDED_SESSIONSECURITY"]:
        nt_response = desl(nt_hash, hashlib.md5(server + client).digest()[:8])
        lm_response = client + bytes(16)
    else:
        nt_response, lm_response = desl(nt_hash, server), desl(lm_hash, server)
    base = md4(nt_hash)
    key = KXKEY(flags, base, lm_response, server, lm_hash)
    return {"lm_response": lm_response.hex(), "nt_response": nt_response.hex(),
            "session_base_key": base.hex(), "key_exchange_key": key.hex()}


def ntlmv2_response(inputs):
    """Operation `ntlmv2_response`, [MS-NLMP] 3.3.2."""
    key = inputs.octets("response_key", 16)
    server, client = inputs.octets("server_challenge", 8), inputs.octets("client_challenge", 8)
    time, target_info = inputs.octets("time", 8), inputs.octets("target_info")
    temp = b"\1\1" + bytes(6) + time + client + bytes(4) + target_info + bytes(4)
    proof = hmac_("md5", key, server + temp)
    base = hmac_("md5", key, proof).hex()
    return {"lm_response": (hmac_("md5", key, server + client) + client).hex(), "nt_proof_str": proof.hex(),
            "nt_response": (proof + temp).hex(), "session_base_key": base, "key_exchange_key": base}


def kxkey_v1(inputs):
    """Operation `kxkey_v1`."""
    key = KXKEY(inputs.number("flags"), inputs.octets("session_base_key", 16), inputs.octets("lm_response", 24),
                inputs.octets("server_challenge", 8), inputs.octets("lm_hash", 16))
    return {"key_exchange_key": key.hex()}


def rc4k(inputs):
    """Operation `rc4k`."""
    return {"output": rc4(inputs.octets("key", range(1, 257)), inputs.octets("data")).hex()}


def signkey(inputs):
    """Operation `signkey`."""
    key = SIGNKEY(inputs.number("flags"), inputs.octets("exported_session_key", 16),
                  inputs.word("mode", ("client", "server")))
    return {"key": None if key is None else key.hex()}


def sealkey(inputs):
    """Operation `sealkey`; a revision that is not given is the current one."""
    revision = inputs.number("ntlm_revision") if inputs.has("ntlm_revision") else 0x0F
    key = SEALKEY(inputs.number("flags"), inputs.octets("exported_session_key", 16),
                  inputs.word("mode", ("client", "server")), revision)
    return {"key": key.hex()}


def datagram_rekey(inputs):
    """Operation `datagram_rekey`."""
    key = sealing_key_prime(inputs.octets("seal_key", 16), inputs.number("seq"))
    return {"sealing_key_prime": key.hex()}


def _message_octets(message):
    if isinstance(message, dict) and "text" in message:
        return utf8_text("messages", message["text"]).encode("utf-8")
    if isinstance(message, dict) and "hex" in message:
        return from_hex("messages", message["hex"])
    raise Malformed("messages: neither text nor hex")


def mac(inputs):
    """Operation `mac`; in connection mode numbers count up and the cipher goes on from message to message."""
    signer = Signer.of(inputs, inputs.flag("datagram"))
    pad = inputs.octets("random_pad", 4) if inputs.has("random_pad") else None
    seal = inputs.has("seal") and inputs.flag("seal")
    sequence, signatures, sealed = inputs.number("seq"), [], []
    for message in map(_message_octets, inputs.items("messages")):
        signer.start(sequence)
        if seal:
            sealed.append(signer.cipher.update(message).hex())
        signatures.append(signer.mac(message, sequence, pad).hex())
        if not signer.datagram:
            sequence = (sequence + 1) & U32_MAX
    return {"signatures": signatures, "sealed": sealed} if seal else {"signatures": signatures}


def mac_verify(inputs):
    """Operation `mac_verify`."""
    signer = Signer.of(inputs, inputs.flag("datagram"))
    message = inputs.text("message").encode("utf-8")
    return {"valid": signer.verify(message, inputs.number("seq"), inputs.octets("signature"))}


def av_pairs(inputs):
    """Operation `av_pairs`."""
    return {"encoded": av_encode(inputs.items("pairs")).hex()}


def ntlm_message(inputs):
    """Operation `ntlm_message`."""
    kind = inputs.word("type", tuple(_LAYOUTS))
    message = build_message(kind, inputs.inner("fields"), inputs.items("payload_order"))
    return {"message": message.hex(), "base64": base64.b64encode(message).decode()}


def ntlm_exchange(inputs):
    """Operation `ntlm_exchange`: everything a server derives from a password and two tokens."""
    challenge = Challenge(inputs.octets("challenge"))
    authenticate = Authenticate(inputs.octets("authenticate"))
    response_key = NTOWFv2(inputs.text("password"), authenticate.user, authenticate.domain)
    base = hmac_("md5", response_key, authenticate.nt_response[:16])
    flags = authenticate.flags
    exported = rc4(base, authenticate.encrypted_session_key) if flags & FLAGS["KEY_EXCH"] else base
    if not flags & FLAGS["EXTENDED_SESSIONSECURITY"]:
        raise Malformed("authenticate: no extended session security, so no signing keys")
    keys = {f"{side}_{name}": derive(flags, exported, side) for side in ("client", "server")
            for name, derive in (("sign_key", SIGNKEY), ("seal_key", SEALKEY))}
    answer = {"response_key_nt": response_key, "session_base_key": base, "exported_session_key": exported, **keys}
    answer = {name: key.hex() for name, key in answer.items()}
    answer["nt_proof_ok"] = authenticate.proves(response_key, challenge.server_challenge)
    signed = inputs.items("signed") if inputs.has("signed") else []
    answer["signatures"] = [_exchange_signature(inputs, flags, keys, item) for item in signed]
    return answer


def _exchange_signature(inputs, flags, keys, item):
    """One message under the keys of an exchange, each with a fresh cipher."""
    if not isinstance(item, dict):
        raise Malformed("signed: an item is no object")
    item = type(inputs)(item)
    side, sequence = item.word("side", ("client", "server")), item.number("seq")
    signer = Signer(True, bool(flags & FLAGS["KEY_EXCH"]), inputs.flag("datagram"),
                    keys[side + "_sign_key"], keys[side + "_seal_key"])
    signer.start(sequence)
    return signer.mac(item.text("text").encode("utf-8"), sequence).hex()


def ntlm_proof(inputs):
    """Operation `ntlm_proof`."""
    challenge = Challenge(inputs.octets("challenge"))
    authenticate = Authenticate(inputs.octets("authenticate"))
    key = NTOWFv2(inputs.text("password"), authenticate.user, authenticate.domain)
    return {"valid": authenticate.proves(key, challenge.server_challenge)}


def ntlm_keyless(inputs):
    """Operation `ntlm_keyless`: without extended session security RC4 starts anew with each message, so that
    the last word of the tokens is one value, and the third is the checksum combined with one value."""
    tokens = [from_hex("tokens", token) for token in inputs.items("tokens")]
    if not tokens or any(len(token) != 16 for token in tokens):
        raise Malformed("tokens: not tokens of 16 octets")
    tails = {token[12:] for token in tokens}
    if len(tails) != 1:
        raise Malformed("tokens: not of one security association")
    answer = {"tail": tails.pop().hex()}
    if inputs.has("crc32"):
        checksums = inputs.items("crc32")
        if len(checksums) != len(tokens) or not all(isinstance(c, int) for c in checksums):
            raise Malformed("crc32: not one number for each token")
        words = {struct.unpack_from("<I", token, 8)[0] ^ crc for token, crc in zip(tokens, checksums)}
        if len(words) != 1:
            raise Malformed("crc32: the checksums do not fit the tokens")
        answer["keystream_word2"] = words.pop()
    return answer


def ntlm_auth_mic(inputs):
    """Operation `ntlm_auth_mic`, [MS-NLMP] 3.1.5.1.2; connectionless there is no NEGOTIATE."""
    negotiate = inputs.octets("negotiate") if inputs.has("negotiate") else b""
    authenticate = inputs.octets("authenticate_mic_zeroed")
    if len(authenticate) < 88 or authenticate[72:88] != bytes(16):
        raise Malformed("authenticate_mic_zeroed: no MIC field of zeros")
    covered = negotiate + inputs.octets("challenge") + authenticate
    mic = hmac_("md5", inputs.octets("exported_session_key", 16), covered)
    return {"mic": mic.hex(), "authenticate": (authenticate[:72] + mic + authenticate[88:]).hex()}


OPERATIONS = {function.__name__: function for function in (
    ntlm_flags, ntowfv1, lmowfv1, ntowfv2, ntlmv1_response, ntlmv2_response, kxkey_v1, rc4k, signkey, sealkey,
    datagram_rekey, mac, mac_verify, av_pairs, ntlm_message, ntlm_exchange, ntlm_proof, ntlm_keyless,
    ntlm_auth_mic)}
