#!/usr/bin/env python3
"""Puts every golden vector to the judge, as the suite puts them to a codec, and compares as the suite does.

    python3 judge/test_judge.py
"""
import json
import pathlib
import re
import subprocess
import sys
import threading
import unittest
import unittest.mock

import association
from values import Inputs

HERE = pathlib.Path(__file__).resolve().parent
VECTORS = HERE.parent / "vectors"
# Names under which vectors hold octets or UUIDs: compared without letter case (vectors/README.md).
ANY_CASE = set("""
    decoded digest mac output value_le wire_le authenticate client_seal_key client_sign_key encoded
    exported_session_key key key_exchange_key lm_hash lm_response message mic nt_hash nt_proof_str nt_response
    response_key_nt sealed sealing_key_prime server_seal_key server_sign_key session_base_key signature signatures
    tail uuid checksum derived pbkdf2 service_key session_key sgn_alg snd_seq_encrypted subkey token token_id
    cipher_suite client_key client_random client_verify_data key_material master_secret pre_master_secret
    server_key server_random server_verify_data
""".split())


def load():
    """All vectors, with the family of their file."""
    for path in sorted(VECTORS.glob("*/*.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        for vector in document["vectors"]:
            yield {"family": document["family"], **vector}


class Codec:
    """A codec process: everything is written by one thread while another reads, so that neither blocks."""

    def __init__(self):
        self.process = subprocess.Popen([sys.executable, str(HERE / "judge.py")], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.greeting = json.loads(self.process.stdout.readline())

    def ask(self, requests):
        """The answers to requests by their ids, after the end of the process."""
        octets = b"".join(json.dumps(request).encode() + b"\n" for request in requests)
        writer = threading.Thread(target=self._write, args=(octets,))
        writer.start()
        answers = [json.loads(line) for line in self.process.stdout]
        writer.join()
        self.process.stdout.close()
        self.exit_code = self.process.wait()
        return {answer["id"]: answer for answer in answers}

    def _write(self, octets):
        self.process.stdin.write(octets)
        self.process.stdin.close()


def ask(op, inputs):
    """The answer to one request alone."""
    return Codec().ask([{"id": 7, "op": op, "inputs": inputs}])[7]


def same(name, expected, got):
    """Whether a result is the expected one, by the rule of its name."""
    if name in ANY_CASE:
        return _lower(expected) == _lower(got)
    if name == "buffers" and expected is not None:
        return isinstance(got, dict) and all(got.get(version) == text for version, text in expected.items())
    if name == "header":
        return written_parts(expected) == written_parts(got)
    return type(expected) is type(got) and expected == got


def _lower(value):
    if isinstance(value, list):
        return [_lower(item) for item in value]
    return value.lower() if isinstance(value, str) else value


def written_parts(header):
    """Scheme and parameters of a written header field: names in lower case, values as they are, in any order."""
    scheme, _, rest = header.partition(" ")
    parameters = re.findall(r'\s*([^=\s,]+)=("[^"]*"|[^,\s]*)\s*(?:,|$)', rest)
    return scheme, sorted((name.lower(), value) for name, value in parameters)


def differences(vector, answer):
    """The names under which an answer is wrong."""
    expected = vector["expected"]
    if "malformed" in answer:
        return [] if all(value is None for value in expected.values()) else [answer["malformed"]]
    if "answer" not in answer:
        return [str(answer)]
    got = answer["answer"]
    wrong = [name for name, value in expected.items() if not same(name, value, got.get(name))]
    if vector["op"] == "sip_message":
        wrong += [name for name in got if name not in expected]
    return wrong


class GoldenVectors(unittest.TestCase):
    """All vectors in one pipelined run."""

    @classmethod
    def setUpClass(cls):
        cls.vectors = list(load())
        cls.codec = Codec()
        requests = [{"id": i, "op": v["op"], "inputs": v["inputs"]} for i, v in enumerate(cls.vectors)]
        cls.answers = cls.codec.ask(requests)

    def test_every_vector_is_answered_as_expected(self):
        for number, vector in enumerate(self.vectors):
            with self.subTest(id=vector["id"]):
                self.assertEqual(differences(vector, self.answers[number]), [])

    def test_the_judge_ends_by_itself(self):
        self.assertEqual(self.codec.exit_code, 0)

    def test_every_operation_is_greeted(self):
        self.assertEqual({v["op"] for v in self.vectors} - set(self.codec.greeting["operations"]), set())

    def test_ids_are_unique(self):
        ids = [vector["id"] for vector in self.vectors]
        self.assertEqual(len(ids), len(set(ids)))

    def test_no_refusal_is_expected_where_a_refusal_is_as_right_as_an_answer(self):
        for vector in self.vectors:
            if vector.get("refusable"):
                self.assertNotIn("lenient", vector, vector["id"])
                self.assertTrue(any(value is not None for value in vector["expected"].values()), vector["id"])


class Window(unittest.TestCase):
    """[MS-SIPAE] 3.1.1 says 256 numbers and a span of 257: no vector may tell the two readings apart."""

    def test_no_vector_depends_on_the_width_of_the_window(self):
        vectors = [v for v in load() if v["op"] in ("replay_window", "sip_ntlm_verify")]
        for width in (255, 256):
            with unittest.mock.patch.object(association, "WINDOW", width):
                for vector in vectors:
                    operation = association.OPERATIONS[vector["op"]]
                    self.assertEqual(operation(Inputs(vector["inputs"])), vector["expected"], vector["id"])


class OddInputs(unittest.TestCase):
    """Nothing ends the judge, and what cannot be computed is told with the input that is at fault."""

    def malformed(self, op, inputs, named):
        answer = ask(op, inputs)
        self.assertIn("malformed", answer)
        self.assertTrue(answer["malformed"].startswith(named), answer["malformed"])

    def test_unknown_operation(self):
        self.assertEqual(ask("aes_gcm", {}), {"id": 7, "unsupported": "aes_gcm"})

    def test_missing_and_mistyped_inputs(self):
        self.malformed("base16", {}, "text")
        self.malformed("base16", {"text": 1}, "text")
        self.malformed("base16", {"text": "\ud800"}, "text")
        self.malformed("ntowfv1", None, "inputs")
        self.malformed("rc4k", {"key": "", "data": ""}, "key")
        self.malformed("datagram_rekey", {"seal_key": "00 1", "seq": 1}, "seal_key")
        self.malformed("datagram_rekey", {"seal_key": "00" * 16, "seq": 1 << 32}, "seq")
        self.malformed("replay_window", {"numbers": [1, True]}, "numbers")

    def test_tokens_of_garbage(self):
        for token in ("", "60", "6003020100", "60820fff06092a864886f712010202", "00" * 80):
            self.malformed("krb_ap_rep", {"enctype": 18, "session_key": "00" * 32, "token": token}, "token")
            self.malformed("ntlm_proof", {"password": "", "challenge": token, "authenticate": token}, "challenge")
        self.malformed("tls_records", {"gssapi_data": "FgMBAAU="}, "gssapi_data")

    def test_every_operation_survives_every_kind_of_input(self):
        greeted = Codec()
        names = greeted.greeting["operations"]
        greeted.ask([])
        odd = [None, [], {}, {"message": "", "messages": [[]], "header": "", "params": [1], "fields": []},
               {"message": "\r\n\r\n", "flights": ["", "FgMBAAQAAAAA"], "tokens": ["00"], "pairs": [["EOL"]]}]
        for vector in self._one_of_each():
            odd += [{**vector["inputs"], name: value} for name in vector["inputs"]
                    for value in ("", "ff", 0, -1, [], [None], {}, True, "\u0000")]
        requests = [{"id": i * len(names) + j, "op": op, "inputs": inputs}
                    for i, inputs in enumerate(odd) for j, op in enumerate(names)]
        codec = Codec()
        answers = codec.ask(requests)
        self.assertEqual((len(answers), codec.exit_code), (len(requests), 0))
        careless = [a["malformed"] for a in answers.values() if a.get("malformed", "").startswith("inputs: ")]
        self.assertEqual([text for text in careless if text != "inputs: not an object"], [])

    @staticmethod
    def _one_of_each():
        return {vector["op"]: vector for vector in load()}.values()

    def test_lines_that_are_no_requests_are_passed_over(self):
        codec = Codec()
        codec.process.stdin.write(b'\n{\n[]\n\r\n{"op":"base16"}\n')
        self.assertEqual(list(codec.ask([{"id": 1, "op": "base16", "inputs": {"text": ""}, "more": 1}])), [1])


if __name__ == "__main__":
    unittest.main()
