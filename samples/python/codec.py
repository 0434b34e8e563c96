#!/usr/bin/env python3
"""A codec for sipae (docs/codec-protocol.md) on the standard library: copy it and put your own functions in."""
import hashlib, hmac, json, os, re, sys, uuid
from base64 import b64decode, b64encode, urlsafe_b64encode

BLANKS, unhex = " \t\r\n", bytes.fromhex
LWS, TOKEN, ESCAPED = f"[{BLANKS}]*", r"[A-Za-z0-9\-.!%*_+`'~]+", r'(?:[^"\\]|\\.)*'
NEXT = f"{TOKEN}{LWS}="  # another parameter begins, though no comma came
BARE = rf"[^,]+?(?=,|\Z|(?<=[{BLANKS}]){NEXT})|"
AUTH_PARAM, DIGEST_PARAM = (  # name, then a value in quotation marks, or one that never closes, or a bare one
    re.compile(rf'[{BLANKS},]*([^=,]*)(?:={LWS}(?:"({inside})"(?:{LWS}(?={NEXT})|[^,]*)|".*|({BARE})))?', re.DOTALL)
    for inside in ('[^"]*', ESCAPED))
BRACKETED = re.compile(rf'{LWS}(?:"{ESCAPED}")?[^<;,"]*<{LWS}(?=[^>{BLANKS}])([^>]*)>', re.DOTALL)
ADDR_SPEC = re.compile(rf'{LWS}(?:"{ESCAPED}")?(?:[^;<>,"]*[{BLANKS}])?([A-Za-z0-9+.\-]+:[^;<>,"{BLANKS}]+)', re.DOTALL)
PARAM = re.compile(rf'{LWS};{LWS}([^{BLANKS}=;,<"]*)(?:{LWS}={LWS}(?:"({ESCAPED})"|([^{BLANKS};,<>"]*)))?', re.DOTALL)
ELEMENT = re.compile(rf'(?:"{ESCAPED}"|<[^>]*>|[^"<,]+|["<].*)+', re.DOTALL)  # of a list with commas
NAMESPACE = uuid.UUID("fcacfb03-8a73-46ef-91b1-e5ebeeaba4fe")  # of the UUIDs that come from an epid

def base16(i):
    fit, lower = re.fullmatch("([0-9A-Fa-f]{2})*", i["text"]), i["text"].lower()
    return {"decoded": lower, "canonical_lower": lower, "canonical_upper": lower.upper()} if fit else {"decoded": None}

def base64(i):
    strict = re.fullmatch("[A-Za-z0-9+/]*={0,2}", i["text"]) and len(i["text"]) % 4 == 0
    octets = b64decode(i["text"]) if strict else b""  # the bits that padding leaves over are zero:
    return {"decoded": octets.hex() if b64encode(octets).decode() == i["text"] else None}

def unfold(text): return re.sub(r"(?<![ \t])[ \t]*(\r\n[ \t]+)+", " ", text)
def auth_header(i):
    text = unfold(i["header"]).strip(BLANKS)
    scheme, params = re.match(rf"(?:{TOKEN}(?=[{BLANKS},]|\Z))?", text)[0], {}
    for param in (DIGEST_PARAM if scheme.lower() == "digest" else AUTH_PARAM).finditer(text, len(scheme)):
        name, kind = param[1].strip(BLANKS).lower(), param.lastindex  # 1: no value, 2: quoted, 3: bare
        if kind > 1 and re.fullmatch(TOKEN, name):  # the first of two with one name counts
            params.setdefault(name, param[2] if kind == 2 else param[3].strip(BLANKS))
    return {"scheme": scheme, "params": params}

def address(value):
    """URI and tag of From or To."""
    found = BRACKETED.match(value) or ADDR_SPEC.match(value)
    rest = value[found.end():] if found else "no URI"
    params = [(name.lower(), quoted or token) for name, quoted, token in PARAM.findall(rest)]
    if PARAM.sub("", rest).strip(BLANKS) or any([n for n, _ in params].count(name) > 1 for name in ("tag", "epid")):
        raise ValueError(f"{value!r} is no single address")
    return found[1].strip(BLANKS), dict(params).get("tag", "")

def signature_buffer(message, context, version):
    head, end, _ = message.partition("\r\n\r\n")
    start, _, lines = head.partition("\r\n")
    kind = re.fullmatch(rf"SIP/2\.0 ([1-6][0-9]{{2}})( .*)?|{TOKEN} +[^ ].* SIP/2\.0", start)
    if not end or not kind or re.search(r"(?<!\r)\n", head):
        raise ValueError("no SIP message")
    fields = {}
    for line in unfold(lines).split("\r\n") if lines else []:
        field = re.fullmatch(rf"({TOKEN})[ \t]*:(.*)", line, re.DOTALL)
        if not field:
            raise ValueError(f"{line!r} is no header field")
        name = {"i": "call-id", "f": "from", "t": "to"}.get(field[1].lower(), field[1].lower())
        fields.setdefault(name, []).append(field[2].strip(" \t"))
    def single(name, read, absent):
        if len(fields.get(name, [])) > 1:
            raise ValueError(f"{name} stands twice")
        return read(fields[name][0]) if name in fields else absent
    cseq = re.fullmatch(rf"([0-9]+)[{BLANKS}]+([^{BLANKS}]+)|", single("cseq", lambda value: value or "empty", ""))
    if not cseq or int(cseq[1] or 0) >= 2**32:
        raise ValueError("CSeq is no number and method")
    (from_uri, from_tag), (to_uri, to_tag) = single("from", address, ("", "")), single("to", address, ("", ""))
    identities = fields.get("p-asserted-identity") or fields.get("p-preferred-identity") or []
    uris = [element.strip(BLANKS) for value in identities for element in ELEMENT.findall(value)]
    uris = [found[1].strip(BLANKS) if (found := BRACKETED.match(uri)) else uri for uri in uris]  # bare: parameters belong to it
    first = lambda *schemes: next((uri for uri in uris if uri.lower().startswith(schemes)), "")
    parts = [unfold(context[name]) for name in ("scheme", "rand", "num", "realm", "targetname")]
    parts += [single("call-id", str, ""), cseq[1] or "", cseq[2] or "", from_uri, from_tag]
    parts += [to_uri, to_tag, first("sip:", "sips:"), first("tel:")] if version > 2 else [to_tag]
    parts += [single("expires", str, "")] + ([kind[1]] if kind[1] else [])
    return "".join(f"<{part}>" for part in parts)

def replay_window(i):
    last, accepted, answers = 0, set(), []
    for number in i["numbers"]:
        answers.append(max(0, last - 256) < number < 2**32 and number not in accepted)
        if answers[-1]:
            accepted.add(number)
            last = max(last, number)
    return {"accepted": answers}

def uuid_gruu(i): return {"gruu_epid": urlsafe_b64encode(uuid.UUID(i["uuid"]).bytes_le + bytes(2)).decode()}
def epid_uuid(i):  # version and variant are set as in any UUID, but both ends are in the octet order of a GUID
    digest = hashlib.sha1(NAMESPACE.bytes_le + i["epid"].encode()).digest()
    return {"uuid": str(uuid.UUID(bytes_le=digest[:16], version=5))}

def rc4(key, data):
    s, j, out = list(range(256)), 0, bytearray()
    for i in range(256):
        j = (j + s[i] + key[i % len(key)]) % 256
        s[i], s[j] = s[j], s[i]
    j = 0
    for n, octet in enumerate(data, 1):
        i, j = n % 256, (j + s[n % 256]) % 256
        s[i], s[j] = s[j], s[i]
        out.append(octet ^ s[(s[i] + s[j]) % 256])
    return bytes(out)

def ntlm_signature(i, seq, data):
    """MS-NLMP 3.4.4.2 in datagram form: the cipher begins anew with each message, under a key of its own."""
    if not i["extended_session_security"]:
        raise NotImplementedError("NTLM without extended session security")
    number = seq.to_bytes(4, "little")
    checksum = hmac.digest(unhex(i["sign_key"]), number + data, "md5")[:8]
    if i["key_exchange"]:
        checksum = rc4(hashlib.md5(unhex(i["seal_key"]) + number).digest(), checksum)
    return (bytes([1, 0, 0, 0]) + checksum + number).hex()

def mac(i):
    if not i["datagram"] or i.get("seal"):
        raise NotImplementedError("NTLM in connection-oriented form, or sealing")
    octets = (unhex(m["hex"]) if "hex" in m else m["text"].encode() for m in i["messages"])
    return {"signatures": [ntlm_signature(i, i["seq"], message) for message in octets]}

def buffer_and_signature(i, sign):
    buffer = i["buffer"] if "buffer" in i else signature_buffer(i["message"], i["context"], i["version"])
    return {"buffer": buffer, "signature": sign(buffer.encode())}

OPERATIONS = {
    "auth_header": auth_header, "base16": base16, "base64": base64, "epid_uuid": epid_uuid, "mac": mac,
    "replay_window": replay_window, "uuid_gruu": uuid_gruu,
    "sip_buffer": lambda i: {"buffers": {str(v): signature_buffer(i["message"], i["context"], v) for v in (2, 3, 4)}},
    "sip_ntlm_sign": lambda i: buffer_and_signature(i, lambda data: ntlm_signature(i, 100, data)),
    "tlsdsk_sign": lambda i: buffer_and_signature(i, lambda data: hmac.digest(unhex(i["key"]), data, i["hmac"]).hex()),
}

def answer(request):
    try:
        if request["op"] not in OPERATIONS:
            raise NotImplementedError(request["op"])
        return {"id": request["id"], "answer": OPERATIONS[request["op"]](request["inputs"])}
    except NotImplementedError as missing:
        return {"id": request["id"], "unsupported": str(missing)}
    except (LookupError, TypeError, ValueError, OverflowError) as wrong:
        return {"id": request["id"], "malformed": f"{type(wrong).__name__}: {wrong}"}

lines, waiting = [{"protocol": "sipae-codec", "version": 1, "operations": list(OPERATIONS)}], b""
while True:
    sys.stdout.write("".join(json.dumps(line) + "\n" for line in lines))
    sys.stdout.flush()  # all that was read is answered
    if not (chunk := os.read(0, 1 << 16)):
        break
    *requests, waiting = (waiting + chunk).split(b"\n")
    lines = [answer(json.loads(request)) for request in requests if request.strip()]
