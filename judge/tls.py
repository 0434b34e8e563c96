"""TLS-DSK: the PRF of TLS, the two signing keys, and handshakes carried in gssapi-data."""
import hashlib
import struct

from encoding import base64_decode
from primitives import aes_cbc, hmac_
from sip import signature_buffer_of
from values import Malformed, Unsupported, utf8_text

PRFS = ("tls1", "tls12-sha256", "tls12-sha384")
CHANGE_CIPHER_SPEC, HANDSHAKE = 20, 22
CLIENT_KEY_EXCHANGE = 16
# The suites of the transcripts: hash of the MAC and octets of the AES key.
_SUITES = {"002f": ("sha1", 16), "0035": ("sha1", 32), "003c": ("sha256", 16), "003d": ("sha256", 32)}


def _p_hash(algorithm, secret, seed, length):
    out, a = b"", seed
    while len(out) < length:
        a = hmac_(algorithm, secret, a)
        out += hmac_(algorithm, secret, a + seed)
    return out[:length]


def prf(kind, secret, label, seed, length):
    """RFC 2246 section 5 for TLS 1.0 and 1.1, RFC 5246 section 5 for TLS 1.2."""
    if kind != "tls1":
        return _p_hash(kind[6:], secret, label + seed, length)
    half = (len(secret) + 1) // 2
    md5 = _p_hash("md5", secret[:half], label + seed, length)
    sha1 = _p_hash("sha1", secret[len(secret) - half:], label + seed, length)
    return bytes(a ^ b for a, b in zip(md5, sha1))


def transcript_hash(kind, messages):
    """Hash of handshake messages as Finished and the extended master secret take it."""
    if kind == "tls1":
        return hashlib.md5(messages).digest() + hashlib.sha1(messages).digest()
    return hashlib.new(kind[6:], messages).digest()


def signing_keys(kind, master_secret, client_random, server_random):
    """Key material of RFC 5216 and its third and fourth 32 octets: the keys of client and server."""
    material = prf(kind, master_secret, b"client EAP encryption", client_random + server_random, 128)
    return {"key_material": material.hex(), "client_key": material[64:96].hex(), "server_key": material[96:].hex()}


# ---------------------------------------------------------------- records
def records_of(name, text):
    """Type, version and body of each record of a flight in Base64."""
    octets, records, at = base64_decode(utf8_text(name, text)), [], 0
    if octets is None:
        raise Malformed(f"{name}: not Base64")
    while at < len(octets):
        if at + 5 > len(octets):
            raise Malformed(f"{name}: a record is cut short")
        kind, version, length = struct.unpack_from(">BHH", octets, at)
        body = octets[at + 5:at + 5 + length]
        if len(body) != length:
            raise Malformed(f"{name}: a record is cut short")
        records.append((kind, version, body))
        at += 5 + length
    return records


def handshake_messages(name, octets):
    """The handshake messages of a flight, each with its header."""
    messages = []
    while octets:
        length = 4 + int.from_bytes(octets[1:4], "big")
        if length > len(octets):
            raise Malformed(f"{name}: a handshake message is cut short")
        messages.append(octets[:length])
        octets = octets[length:]
    return messages


class Flight:
    """One gssapi-data value: what is readable of it, and what is encrypted after ChangeCipherSpec."""

    def __init__(self, name, text):
        plain, self.encrypted, changed = b"", [], False
        for kind, version, body in records_of(name, text):
            if kind == CHANGE_CIPHER_SPEC:
                changed = True
            elif kind == HANDSHAKE and changed:
                self.encrypted.append((version, body))
            elif kind == HANDSHAKE:
                plain += body
        self.messages = handshake_messages(name, plain)


def tls_records(inputs):
    """Operation `tls_records`."""
    records, plain, encrypted = [], b"", False
    for kind, version, body in records_of("gssapi_data", inputs.text("gssapi_data")):
        records.append({"type": kind, "version": f"{version:04x}", "length": len(body), "encrypted": encrypted})
        if kind == HANDSHAKE and not encrypted:
            plain += body
        encrypted = encrypted or kind == CHANGE_CIPHER_SPEC
    messages = handshake_messages("gssapi_data", plain)
    return {"records": records, "handshake": [{"type": m[0], "length": len(m) - 4} for m in messages]}


# ---------------------------------------------------------------- transcripts
class Handshake:
    """A full RSA handshake in four flights, opened with the private key of the server."""

    def __init__(self, inputs):
        self.inputs = inputs
        self.prf = inputs.word("prf", PRFS)
        self.flights = [Flight("flights", text) for text in inputs.items("flights")]
        if len(self.flights) < 4:
            raise Malformed("flights: less than the four of a full handshake")
        self.plain = [flight.messages for flight in self.flights]
        hello, answer = self.plain[0][0], self.plain[1][0]
        self.client_random, self.server_random = hello[6:38], answer[6:38]
        self.suite = answer[39 + answer[38]:][:2].hex()
        if self.suite not in _SUITES:
            raise Unsupported(f"cipher suite {self.suite}")

    def pre_master_secret(self):
        """RSA decryption, PKCS #1 type 2."""
        modulus = int.from_bytes(self.inputs.octets("server_modulus"), "big")
        exponent = int.from_bytes(self.inputs.octets("server_private_exponent"), "big")
        sealed = next(m for m in self.plain[2] if m[0] == CLIENT_KEY_EXCHANGE)[6:]
        block = pow(int.from_bytes(sealed, "big"), exponent, modulus).to_bytes((modulus.bit_length() + 7) // 8, "big")
        if block[:2] != b"\0\2":
            raise Malformed("flights: the ClientKeyExchange is not for this key")
        return block[block.index(b"\0", 2) + 1:]

    def master_secret(self, pre_master_secret):
        """RFC 5246 section 8.1, or RFC 7627 over the messages up to the ClientKeyExchange."""
        if not self.inputs.flag("extended_master_secret"):
            return prf(self.prf, pre_master_secret, b"master secret", self.client_random + self.server_random, 48)
        third = self.plain[2]
        until = [message[0] for message in third].index(CLIENT_KEY_EXCHANGE) + 1
        covered = b"".join(self.plain[0] + self.plain[1] + third[:until])
        return prf(self.prf, pre_master_secret, b"extended master secret", transcript_hash(self.prf, covered), 48)

    def finished(self, master_secret):
        """verify_data of both sides, taken out of the encrypted records and checked against the transcript."""
        hash_name, key_length = _SUITES[self.suite]
        mac_length = hashlib.new(hash_name).digest_size
        block = prf(self.prf, master_secret, b"key expansion", self.server_random + self.client_random,
                    2 * (mac_length + key_length + 16))
        covered, found = b"".join(self.plain[0] + self.plain[1] + self.plain[2]), {}
        for index, side in enumerate(("client", "server")):
            cut = lambda at, length: block[at + index * length:at + (index + 1) * length]
            keys = cut(0, mac_length), cut(2 * mac_length, key_length), cut(2 * (mac_length + key_length), 16)
            version, body = self.flights[2 + index].encrypted[0]
            message = _open_record(hash_name, keys, version, body)
            good = prf(self.prf, master_secret, f"{side} finished".encode(), transcript_hash(self.prf, covered), 12)
            if message[4:] != good:
                raise Malformed(f"flights: Finished of the {side} does not fit the transcript")
            found[side] = good
            covered += message
        return found


def _open_record(hash_name, keys, version, body):
    """The content of the first encrypted record of a side, CBC with MAC before encryption."""
    mac_key, key, iv = keys
    if version != 0x0301:
        iv, body = body[:16], body[16:]
    plain = aes_cbc(key, iv, body, True)
    mac_length = hashlib.new(hash_name).digest_size
    data = plain[:-plain[-1] - 1]
    content, mac = data[:-mac_length], data[-mac_length:]
    covered = struct.pack(">QBHH", 0, HANDSHAKE, version, len(content)) + content
    if hmac_(hash_name, mac_key, covered) != mac:
        raise Malformed("flights: the MAC of a record is wrong")
    return content


def tlsdsk_transcript(inputs):
    """Operation `tlsdsk_transcript`."""
    try:
        return _transcript(Handshake(inputs))
    except (IndexError, StopIteration, ValueError, OverflowError, ZeroDivisionError) as error:
        raise Malformed(f"flights: not a full RSA handshake ({error})") from None


def _transcript(handshake):
    pre_master = handshake.pre_master_secret()
    master = handshake.master_secret(pre_master)
    finished = handshake.finished(master)
    return {
        "handshake_types": [[message[0] for message in flight] for flight in handshake.plain],
        "client_random": handshake.client_random.hex(), "server_random": handshake.server_random.hex(),
        "cipher_suite": handshake.suite, "pre_master_secret": pre_master.hex(), "master_secret": master.hex(),
        "client_verify_data": finished["client"].hex(), "server_verify_data": finished["server"].hex(),
        **signing_keys(handshake.prf, master, handshake.client_random, handshake.server_random),
    }


# ---------------------------------------------------------------- operations
def tls_prf(inputs):
    """Operation `tls_prf`; `length` is the number of octets that are asked for."""
    if not inputs.has("length"):
        raise Unsupported("tls_prf without the length of the output")
    label = inputs.octets("label_hex") if inputs.has("label_hex") else inputs.text("label").encode("utf-8")
    output = prf(inputs.word("prf", PRFS), inputs.octets("secret"), label, inputs.octets("seed"),
                 inputs.number("length", 0, 1 << 16))
    return {"output": output.hex()}


def tlsdsk_keys(inputs):
    """Operation `tlsdsk_keys`; a pre-master secret that is given must lead to the master secret."""
    kind, master = inputs.word("prf", PRFS), inputs.octets("master_secret", 48)
    client, server = inputs.octets("client_random", 32), inputs.octets("server_random", 32)
    if inputs.has("pre_master_secret"):
        extended = inputs.has("extended_master_secret") and inputs.flag("extended_master_secret")
        label = b"extended master secret" if extended else b"master secret"
        seed = inputs.octets("session_hash") if extended else client + server
        if prf(kind, inputs.octets("pre_master_secret"), label, seed, 48) != master:
            raise Malformed("pre_master_secret: does not lead to the master secret")
    return signing_keys(kind, master, client, server)


def tlsdsk_sign(inputs):
    """Operation `tlsdsk_sign`."""
    algorithm, key = inputs.word("hmac", ("md5", "sha1", "sha256", "sha384")), inputs.octets("key", 32)
    if inputs.has("message"):
        buffer = signature_buffer_of(inputs, inputs.word("version", (2, 3, 4)))
        if buffer is None:
            return {"buffer": None, "signature": None}
    else:
        buffer = inputs.text("buffer")
    return {"buffer": buffer, "signature": hmac_(algorithm, key, buffer.encode("utf-8")).hex()}


OPERATIONS = {function.__name__: function for function in (
    tls_records, tlsdsk_transcript, tls_prf, tlsdsk_keys, tlsdsk_sign)}
