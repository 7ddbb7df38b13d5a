#!/usr/bin/env python3
"""Sends each line of its input as one datagram into a room, over a pipe that nobody else can send into.

    python3 examples/sensor.py http://127.0.0.1:8790 lobby

Written from spec/protocol/udp.md with nothing but Python's own library. It asks for a session over HTTP, opens the pipe
over UDP, and says on stdout what the server tells it.
"""

import base64
import hashlib
import hmac
import json
import socket
import sys
import urllib.parse
import urllib.request

OPEN, CHALLENGE, RESPONSE, PONG, CLOSE, TEXT = 1, 2, 3, 5, 6, 16


def decoded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def mac(key, message):
    return hmac.new(key, message, hashlib.sha256).digest()


class Pipe:
    """One association: seals what it sends, and believes only what bears the server's MAC."""

    def __init__(self, grant):
        salt = hashlib.sha256(grant["pipeTicket"].encode()).digest()
        secret = mac(salt, decoded(grant["siblingSecret"]))
        self.mine, self.theirs = (mac(secret, b"porthouse-udp-v1 " + way + b"\x01") for way in (b"c2s", b"s2c"))
        self.assoc = decoded(grant["udpAssoc"])
        self.numbers = {"control": 0, "message": 0}
        address = urllib.parse.urlsplit(grant["endpoints"]["pipe"])
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect((address.hostname, address.port))

    def send(self, kind, payload=b""):
        numbering = "message" if kind >= TEXT else "control"
        self.numbers[numbering] += 1
        body = b"PH\x01" + bytes([kind]) + self.assoc + self.numbers[numbering].to_bytes(4, "big") + payload
        self.socket.send(body + mac(self.mine, body)[:8])

    def receive(self, kind):
        """The payload of the next datagram of a kind; raises socket.timeout where none comes in time."""
        while True:
            datagram = self.socket.recv(1200)
            body, seal = datagram[:-8], datagram[-8:]
            if hmac.compare_digest(mac(self.theirs, body)[:8], seal) and body[3] == kind:
                return body[16:]

    def ask(self, kind, answer, payload=b""):
        """Says a word of control until it is answered, six times at most, each time waiting twice as long."""
        for attempt in range(6):
            self.socket.settimeout(0.25 * 2**attempt)
            self.send(kind, payload)
            try:
                return self.receive(answer)
            except socket.timeout:
                continue
        raise SystemExit("sensor: no answer")


def main(origin, room):
    request = urllib.request.Request(
        origin + "/porthouse/v1/sessions",
        json.dumps({"room": room, "transport": "udp", "scopes": ["send"]}).encode(),
        {"content-type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        pipe = Pipe(json.load(answer))
    pipe.ask(RESPONSE, PONG, pipe.ask(OPEN, CHALLENGE))
    print("open", flush=True)
    for line in sys.stdin:
        pipe.send(TEXT, line.rstrip("\n").encode())
    code = int.from_bytes(pipe.ask(CLOSE, CLOSE), "big")
    print("closed", code, "after", pipe.numbers["message"], flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:3])
