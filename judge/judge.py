#!/usr/bin/env python3
"""A second implementation of all operations of the golden vectors, spoken as a codec.

    python3 judge/judge.py

reads requests of docs/codec-protocol.md from its standard input and answers them on its standard output.
"""
import json
import os
import sys

import association
import authheader
import digest
import encoding
import facts
import kerberos
import ntlm
import primitives
import sip
import tls
from values import Inputs, Malformed, Unsupported

MODULES = (association, authheader, digest, encoding, facts, kerberos, ntlm, primitives, sip, tls)
OPERATIONS = {name: operation for module in MODULES for name, operation in module.OPERATIONS.items()}
GREETING = {"protocol": "sipae-codec", "version": 1, "program": "sipae judge 1", "operations": sorted(OPERATIONS)}


def result(request):
    """The member that answers a request: `answer`, `unsupported` or `malformed`."""
    operation = OPERATIONS.get(request.get("op")) if isinstance(request.get("op"), str) else None
    if operation is None:
        return {"unsupported": str(request.get("op"))}
    try:
        return {"answer": operation(Inputs(request.get("inputs")))}
    except Unsupported as reason:
        return {"unsupported": str(reason)}
    except Malformed as reason:
        return {"malformed": str(reason)}
    except Exception as error:
        # No input may end the judge: the others that wait would go without answers.
        print(f"{request.get('op')}: {error!r}", file=sys.stderr)
        return {"malformed": f"inputs: {request['op']} cannot be computed from them ({error!r})"}


def answer_line(line):
    """The answer to one line as octets; None for an empty line, and for one that nobody could be answered."""
    if not line.strip():
        return None
    try:
        request = json.loads(line)
        answer = {"id": request["id"], **result(request)}
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        print(f"no request: {error!r}", file=sys.stderr)
        return None
    return json.dumps(answer, separators=(",", ":")).encode("ascii") + b"\n"


def write(output, octets):
    """Writes all of the octets at once."""
    output.write(octets)
    output.flush()


def main():
    """Greets, then answers what has arrived and flushes before it waits for more."""
    output = sys.stdout.buffer
    write(output, json.dumps(GREETING).encode("ascii") + b"\n")
    rest = b""
    while chunk := os.read(sys.stdin.fileno(), 1 << 16):
        *lines, last = chunk.split(b"\n")
        if lines:
            lines[0], rest = rest + lines[0], last
        else:
            rest += last
        write(output, b"".join(filter(None, map(answer_line, lines))))
    write(output, answer_line(rest) or b"")


if __name__ == "__main__":
    main()
