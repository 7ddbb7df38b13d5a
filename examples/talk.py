#!/usr/bin/env python3
"""Talks in a room: what you type goes through the pipe, what the platform says comes by the sibling.

    python3 examples/talk.py [http://127.0.0.1:8790] [room] [token]

It needs the package `websockets` (Debian: python3-websockets) and nothing else.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import secrets
import sys
import urllib.parse
import urllib.request

import websockets


def decoded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def ask(url, body=None, token=None):
    request = urllib.request.Request(url, json.dumps(body).encode() if body else None)
    request.add_header("Content-Type", "application/json")
    if token:
        request.add_header("Authorization", "Bearer " + token)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def granted(base, room, token=None):
    """The grant of a session in a room, and where its pipe and its sibling are."""
    discovery = ask(urllib.parse.urljoin(base, "/.well-known/porthouse"))
    sessions = urllib.parse.urljoin(base, discovery["endpoints"]["sessions"])
    grant = ask(sessions, {"room": room, "transport": "websocket"}, token)
    paths = grant["endpoints"]["pipe"], grant["endpoints"]["sibling"]["websocket"]
    return grant, *("ws" + urllib.parse.urljoin(sessions, path)[len("http"):] for path in paths)


async def bound(sibling, grant, **more):
    """Binds the command channel: shows the secret without saying it. The reply."""
    nonce = json.loads(await sibling.recv())["params"]["nonce"]
    sid, channel, cnonce = grant["sid"], "command", encoded(secrets.token_bytes(16))
    proof = "\n".join(["porthouse-bind-v1", sid, channel, nonce, cnonce]).encode()
    mac = encoded(hmac.new(decoded(grant["siblingSecret"]), proof, hashlib.sha256).digest())
    params = {"sid": sid, "channel": channel, "cnonce": cnonce, "mac": mac, **more}
    await sibling.send(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "sibling.bind", "params": params}))
    return json.loads(await sibling.recv())


async def follow(sibling):
    async for text in sibling:
        message = json.loads(text)
        print("sibling:", message.get("method"), json.dumps(message.get("params")), flush=True)


async def listen(pipe):
    async for message in pipe:
        print(message if isinstance(message, str) else f"({len(message)} bytes)", flush=True)


async def say(pipe):
    while line := await asyncio.to_thread(sys.stdin.readline):
        await pipe.send(line.rstrip("\n"))
    await pipe.close()


async def talk(base="http://127.0.0.1:8790", room="lobby", token=None):
    grant, pipe_url, sibling_url = granted(base, room, token)
    async with websockets.connect(sibling_url, subprotocols=["porthouse.sibling.v1"]) as sibling:
        answer = await bound(sibling, grant)
        print("sibling: bound" if "result" in answer else answer, flush=True)
        protocols = ["porthouse.pipe.v1", "porthouse.ticket." + grant["pipeTicket"]]
        async with websockets.connect(pipe_url, subprotocols=protocols) as pipe:
            following = asyncio.create_task(follow(sibling))
            await asyncio.gather(listen(pipe), say(pipe))
            following.cancel()


if __name__ == "__main__":
    asyncio.run(talk(*sys.argv[1:]))
