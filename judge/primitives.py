"""Hash functions and ciphers that Python's standard library lacks, written out from their specifications.

MD4 (RFC 1320), RC4, DES (FIPS 46-3), AES (FIPS 197), and HMAC from the library. The code is that of
the checker the vectors were made with; primitives are held against published values alone.
"""
import hashlib
import hmac
import struct
import zlib

from values import Unsupported


def md4(data):
    """MD4 of RFC 1320."""
    def rol(x, n):
        x &= 0xffffffff
        return ((x << n) | (x >> (32 - n))) & 0xffffffff
    a, b, c, d = 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476
    msg = data + b"\x80" + b"\0" * ((55 - len(data)) % 64) + struct.pack("<Q", 8 * len(data))
    for off in range(0, len(msg), 64):
        x = struct.unpack("<16I", msg[off:off + 64])
        s = [a, b, c, d]
        r1 = [(i, (3, 7, 11, 19)[i % 4]) for i in range(16)]
        r2 = [((i % 4) * 4 + i // 4, (3, 5, 9, 13)[i % 4]) for i in range(16)]
        o3 = [0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15]
        r3 = [(o3[i], (3, 9, 11, 15)[i % 4]) for i in range(16)]
        for rnd, (seq, const) in enumerate(((r1, 0), (r2, 0x5a827999), (r3, 0x6ed9eba1))):
            for n, (k, sh) in enumerate(seq):
                i = (-n) % 4
                A, B, C, D = s[i], s[(i + 1) % 4], s[(i + 2) % 4], s[(i + 3) % 4]
                if rnd == 0:
                    f = (B & C) | (~B & D)
                elif rnd == 1:
                    f = (B & C) | (B & D) | (C & D)
                else:
                    f = B ^ C ^ D
                s[i] = rol(A + (f & 0xffffffff) + x[k] + const, sh)
        a, b, c, d = [(u + v) & 0xffffffff for u, v in zip((a, b, c, d), s)]
    return struct.pack("<4I", a, b, c, d)


class RC4:
    """An RC4 key stream that goes on from one call to the next."""

    def __init__(self, key):
        s = list(range(256))
        j = 0
        for i in range(256):
            j = (j + s[i] + key[i % len(key)]) & 255
            s[i], s[j] = s[j], s[i]
        self.s, self.i, self.j = s, 0, 0

    def update(self, data):
        """`data` combined with the next octets of the key stream."""
        out = bytearray()
        s, i, j = self.s, self.i, self.j
        for byte in data:
            i = (i + 1) & 255
            j = (j + s[i]) & 255
            s[i], s[j] = s[j], s[i]
            out.append(byte ^ s[(s[i] + s[j]) & 255])
        self.i, self.j = i, j
        return bytes(out)


def rc4(key, data):
    """RC4 under a fresh key stream."""
    return RC4(key).update(data)


_DES_IP = [58, 50, 42, 34, 26, 18, 10, 2, 60, 52, 44, 36, 28, 20, 12, 4, 62, 54, 46, 38, 30, 22, 14, 6,
           64, 56, 48, 40, 32, 24, 16, 8, 57, 49, 41, 33, 25, 17, 9, 1, 59, 51, 43, 35, 27, 19, 11, 3,
           61, 53, 45, 37, 29, 21, 13, 5, 63, 55, 47, 39, 31, 23, 15, 7]
_DES_FP = [_DES_IP.index(i + 1) + 1 for i in range(64)]
_DES_E = [32, 1, 2, 3, 4, 5, 4, 5, 6, 7, 8, 9, 8, 9, 10, 11, 12, 13, 12, 13, 14, 15, 16, 17,
          16, 17, 18, 19, 20, 21, 20, 21, 22, 23, 24, 25, 24, 25, 26, 27, 28, 29, 28, 29, 30, 31, 32, 1]
_DES_P = [16, 7, 20, 21, 29, 12, 28, 17, 1, 15, 23, 26, 5, 18, 31, 10,
          2, 8, 24, 14, 32, 27, 3, 9, 19, 13, 30, 6, 22, 11, 4, 25]
_DES_PC1 = [57, 49, 41, 33, 25, 17, 9, 1, 58, 50, 42, 34, 26, 18, 10, 2, 59, 51, 43, 35, 27, 19, 11, 3, 60, 52, 44, 36,
            63, 55, 47, 39, 31, 23, 15, 7, 62, 54, 46, 38, 30, 22, 14, 6, 61, 53, 45, 37, 29, 21, 13, 5, 28, 20, 12, 4]
_DES_PC2 = [14, 17, 11, 24, 1, 5, 3, 28, 15, 6, 21, 10, 23, 19, 12, 4, 26, 8, 16, 7, 27, 20, 13, 2,
            41, 52, 31, 37, 47, 55, 30, 40, 51, 45, 33, 48, 44, 49, 39, 56, 34, 53, 46, 42, 50, 36, 29, 32]
_DES_S = [
    [14,4,13,1,2,15,11,8,3,10,6,12,5,9,0,7,0,15,7,4,14,2,13,1,10,6,12,11,9,5,3,8,4,1,14,8,13,6,2,11,15,12,9,7,3,10,5,0,15,12,8,2,4,9,1,7,5,11,3,14,10,0,6,13],
    [15,1,8,14,6,11,3,4,9,7,2,13,12,0,5,10,3,13,4,7,15,2,8,14,12,0,1,10,6,9,11,5,0,14,7,11,10,4,13,1,5,8,12,6,9,3,2,15,13,8,10,1,3,15,4,2,11,6,7,12,0,5,14,9],
    [10,0,9,14,6,3,15,5,1,13,12,7,11,4,2,8,13,7,0,9,3,4,6,10,2,8,5,14,12,11,15,1,13,6,4,9,8,15,3,0,11,1,2,12,5,10,14,7,1,10,13,0,6,9,8,7,4,15,14,3,11,5,2,12],
    [7,13,14,3,0,6,9,10,1,2,8,5,11,12,4,15,13,8,11,5,6,15,0,3,4,7,2,12,1,10,14,9,10,6,9,0,12,11,7,13,15,1,3,14,5,2,8,4,3,15,0,6,10,1,13,8,9,4,5,11,12,7,2,14],
    [2,12,4,1,7,10,11,6,8,5,3,15,13,0,14,9,14,11,2,12,4,7,13,1,5,0,15,10,3,9,8,6,4,2,1,11,10,13,7,8,15,9,12,5,6,3,0,14,11,8,12,7,1,14,2,13,6,15,0,9,10,4,5,3],
    [12,1,10,15,9,2,6,8,0,13,3,4,14,7,5,11,10,15,4,2,7,12,9,5,6,1,13,14,0,11,3,8,9,14,15,5,2,8,12,3,7,0,4,10,1,13,11,6,4,3,2,12,9,5,15,10,11,14,1,7,6,0,8,13],
    [4,11,2,14,15,0,8,13,3,12,9,7,5,10,6,1,13,0,11,7,4,9,1,10,14,3,5,12,2,15,8,6,1,4,11,13,12,3,7,14,10,15,6,8,0,5,9,2,6,11,13,8,1,4,10,7,9,5,0,15,14,2,3,12],
    [13,2,8,4,6,15,11,1,10,9,3,14,5,0,12,7,1,15,13,8,10,3,7,4,12,5,6,11,0,14,9,2,7,11,4,1,9,12,14,2,0,6,10,13,15,3,5,8,2,1,14,7,4,10,8,13,15,12,9,0,3,5,6,11]]


def _perm(v, table, width):
    """The bits of `v`, numbered from 1 at the top of `width`, in the order of the table."""
    out = 0
    for t in table:
        out = (out << 1) | ((v >> (width - t)) & 1)
    return out


def _des_block(key8, block8, decrypt=False):
    """One block of DES."""
    k = _perm(int.from_bytes(key8, "big"), _DES_PC1, 64)
    c, d = k >> 28, k & 0xfffffff
    subs = []
    for sh in (1, 1, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 1):
        c = ((c << sh) | (c >> (28 - sh))) & 0xfffffff
        d = ((d << sh) | (d >> (28 - sh))) & 0xfffffff
        subs.append(_perm((c << 28) | d, _DES_PC2, 56))
    if decrypt:
        subs.reverse()
    v = _perm(int.from_bytes(block8, "big"), _DES_IP, 64)
    left, right = v >> 32, v & 0xffffffff
    for sk in subs:
        e = _perm(right, _DES_E, 32) ^ sk
        f = 0
        for i in range(8):
            six = (e >> (42 - 6 * i)) & 63
            row = ((six >> 4) & 2) | (six & 1)
            f = (f << 4) | _DES_S[i][16 * row + ((six >> 1) & 15)]
        left, right = right, left ^ _perm(f, _DES_P, 32)
    return _perm((right << 32) | left, _DES_FP, 64).to_bytes(8, "big")


def des_cbc(key8, iv, data, decrypt=False):
    """DES in CBC mode over whole blocks."""
    out, prev = b"", iv
    for i in range(0, len(data), 8):
        blk = data[i:i + 8]
        if decrypt:
            out += bytes(a ^ b for a, b in zip(_des_block(key8, blk, True), prev))
            prev = blk
        else:
            prev = _des_block(key8, bytes(a ^ b for a, b in zip(blk, prev)))
            out += prev
    return out


def des56(key7):
    """A DES key of 7 octets spread over 8, as [MS-NLMP] uses it; parity bits stay zero."""
    n = int.from_bytes(key7, "big")
    return bytes(((n >> (49 - 7 * i)) & 0x7f) << 1 for i in range(8))


def desl(key16, data8):
    """DESL of [MS-NLMP]: three DES encryptions under a key of 16 octets."""
    k = key16 + b"\0" * 5
    return b"".join(_des_block(des56(k[i:i + 7]), data8) for i in (0, 7, 14))


_SB = [0] * 256


def _aes_tables():
    """Fills the S-box from inverses in GF(2^8)."""
    p = q = 1
    while True:
        p ^= ((p << 1) ^ (0x1b if p & 0x80 else 0)) & 0xff
        q ^= q << 1
        q ^= q << 2
        q ^= q << 4
        q &= 0xff
        if q & 0x80:
            q ^= 0x09
        x = q ^ ((q << 1 | q >> 7) & 255) ^ ((q << 2 | q >> 6) & 255) ^ ((q << 3 | q >> 5) & 255) ^ ((q << 4 | q >> 4) & 255)
        _SB[p] = x ^ 0x63
        if p == 1:
            break
    _SB[0] = 0x63


_aes_tables()
_SBI = [_SB.index(i) for i in range(256)]


def _xt(a):
    """Multiplication by x in GF(2^8)."""
    return ((a << 1) ^ (0x1b if a & 0x80 else 0)) & 0xff


def _mul(a, b):
    """Multiplication in GF(2^8)."""
    r = 0
    while b:
        if b & 1:
            r ^= a
        a = _xt(a)
        b >>= 1
    return r


def _aes_expand(key):
    """The round keys."""
    nk = len(key) // 4
    w = [list(key[4 * i:4 * i + 4]) for i in range(nk)]
    rc = 1
    for i in range(nk, 4 * (nk + 7)):
        t = list(w[i - 1])
        if i % nk == 0:
            t = [_SB[b] for b in t[1:] + t[:1]]
            t[0] ^= rc
            rc = _xt(rc)
        elif nk > 6 and i % nk == 4:
            t = [_SB[b] for b in t]
        w.append([a ^ b for a, b in zip(w[i - nk], t)])
    return [sum(w[4 * r:4 * r + 4], []) for r in range(nk + 7)]


def aes_ecb(key, blk, decrypt=False):
    """One block of AES; octet i of the state stands in column i // 4."""
    rk = _aes_expand(key)
    s = [a ^ b for a, b in zip(blk, rk[-1 if decrypt else 0])]
    n = len(rk) - 1
    for r in range(1, n + 1):
        if decrypt:
            s = [_SBI[s[(i - 4 * (i % 4)) % 16]] for i in range(16)]
            s = [a ^ b for a, b in zip(s, rk[n - r])]
            if r < n:
                s = [_mul(s[4 * (i // 4)], (14, 9, 13, 11)[i % 4]) ^ _mul(s[4 * (i // 4) + 1], (11, 14, 9, 13)[i % 4]) ^
                     _mul(s[4 * (i // 4) + 2], (13, 11, 14, 9)[i % 4]) ^ _mul(s[4 * (i // 4) + 3], (9, 13, 11, 14)[i % 4])
                     for i in range(16)]
        else:
            s = [_SB[s[(i + 4 * (i % 4)) % 16]] for i in range(16)]
            if r < n:
                s = [_mul(s[4 * (i // 4)], (2, 1, 1, 3)[i % 4]) ^ _mul(s[4 * (i // 4) + 1], (3, 2, 1, 1)[i % 4]) ^
                     _mul(s[4 * (i // 4) + 2], (1, 3, 2, 1)[i % 4]) ^ _mul(s[4 * (i // 4) + 3], (1, 1, 3, 2)[i % 4])
                     for i in range(16)]
            s = [a ^ b for a, b in zip(s, rk[r])]
    return bytes(s)


def aes_cbc(key, iv, data, decrypt=False):
    """AES in CBC mode over whole blocks."""
    out, prev = b"", iv
    for i in range(0, len(data), 16):
        blk = data[i:i + 16]
        if decrypt:
            out += bytes(a ^ b for a, b in zip(aes_ecb(key, blk, True), prev))
            prev = blk
        else:
            prev = aes_ecb(key, bytes(a ^ b for a, b in zip(blk, prev)))
            out += prev
    return out


def aes_cts_encrypt(key, iv, data):
    """CBC with ciphertext stealing, Kerberos flavour (last two blocks always swapped)."""
    if len(data) <= 16:
        return aes_cbc(key, iv, data.ljust(16, b"\0"))
    pad = data + b"\0" * (-len(data) % 16)
    c = aes_cbc(key, iv, pad)
    last = len(data) - (len(pad) - 16)
    return c[:-32] + c[-16:] + c[-32:-16][:last]



def hmac_(algorithm, key, data):
    """HMAC with a hash function of the library, by its name."""
    return hmac.new(key, data, algorithm).digest()


def crc32(data):
    """CRC-32 as four octets, the least significant one first."""
    return struct.pack("<I", zlib.crc32(data))


def hash_primitive(inputs):
    """Operation `hash_primitive`."""
    algorithm = inputs.text("algorithm")
    data = inputs.octets("data_hex")
    if algorithm in ("md4", "md5"):
        return {"digest": (md4(data) if algorithm == "md4" else hashlib.md5(data).digest()).hex()}
    if algorithm == "crc32":
        return {"value_le": crc32(data).hex()}
    if algorithm == "rc4":
        return {"output": rc4(inputs.octets("key_hex", range(1, 257)), data).hex()}
    if algorithm in ("hmac-md5", "hmac-sha1", "hmac-sha256", "hmac-sha384", "hmac-sha512"):
        return {"mac": hmac_(algorithm[5:], inputs.octets("key_hex"), data).hex()}
    raise Unsupported(f"algorithm {algorithm}")


OPERATIONS = {"hash_primitive": hash_primitive}
