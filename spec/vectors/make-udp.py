#!/usr/bin/env python3
"""Prints udp.json: keys and datagrams of udp.md, made with Python's hmac and hashlib alone, so that no implementation of
the protocol vouches for itself. Run: python3 spec/vectors/make-udp.py > spec/vectors/udp.json"""
import base64
import hashlib
import hmac
import json

TYPES = {"OPEN": 1, "CHALLENGE": 2, "RESPONSE": 3, "PING": 4, "PONG": 5, "CLOSE": 6, "TEXT": 16, "BIN": 17, "JSON": 18}


def mac(key, message):
    return hmac.new(key, message, hashlib.sha256).digest()


def hkdf(ikm, salt, info):
    """RFC 5869 for 32 bytes, which one block gives."""
    return mac(mac(salt, ikm), info + b"\x01")


def decoded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def datagram(key, assoc, kind, seq, payload):
    head = b"PH" + bytes([1, TYPES[kind]]) + assoc + seq.to_bytes(4, "big")
    return head + payload + mac(key, head + payload)[:8]


def association(name, secret, ticket, assoc, sent):
    salt = hashlib.sha256(ticket.encode("ascii")).digest()
    keys = {dir: hkdf(decoded(secret), salt, b"porthouse-udp-v1 " + dir.encode()) for dir in ("c2s", "s2c")}
    return {
        "name": name,
        "siblingSecret": secret,
        "pipeTicket": ticket,
        "udpAssoc": assoc,
        "salt": salt.hex(),
        "c2s": keys["c2s"].hex(),
        "s2c": keys["s2c"].hex(),
        "datagrams": [
            {
                "dir": dir,
                "type": kind,
                "seq": seq,
                "payload": payload.hex(),
                "datagram": datagram(keys[dir], decoded(assoc), kind, seq, payload).hex(),
            }
            for dir, kind, seq, payload in sent
        ],
    }


cookie = bytes(range(0xA0, 0xB0))
print(
    json.dumps(
        {
            "algorithm": "HKDF-SHA256 and HMAC-SHA256, its first 8 bytes",
            "encoding": "siblingSecret, pipeTicket and udpAssoc as in the JSON of the wire; the rest is hex",
            "associations": [
                association(
                    "the worked example of udp.md",
                    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
                    "YS10aWNrZXQtZm9yLW9uZS1waXBlLW9mLWFsaWNlLi4",
                    "cG9ydGhvdXM",
                    [
                        ("c2s", "OPEN", 1, b""),
                        ("s2c", "CHALLENGE", 1, cookie),
                        ("c2s", "RESPONSE", 2, cookie),
                        ("s2c", "PONG", 2, b""),
                        ("c2s", "TEXT", 1, b"ahoy"),
                        ("s2c", "BIN", 1, bytes([0, 1, 2])),
                        ("c2s", "CLOSE", 3, b""),
                        ("s2c", "CLOSE", 1, (1000).to_bytes(2, "big")),
                    ],
                ),
                association(
                    "nothing but ones, the last number, an empty message and the longest",
                    "_" * 42 + "8",
                    "_" * 42 + "8",
                    "__________8",
                    [
                        ("c2s", "PING", 2**32 - 1, b"still there?"),
                        ("s2c", "PONG", 2**32 - 1, b"still there?"),
                        ("c2s", "JSON", 2**32 - 1, b""),
                        ("s2c", "BIN", 2**31, bytes(i % 251 for i in range(1176))),
                    ],
                ),
            ],
        },
        indent=2,
    )
)
