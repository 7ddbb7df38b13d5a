"""What Python's `websockets`, a client that nobody here has written, sees of a pipe and its sibling.

    python3 python-websockets.py <folder of talk.py> <URL of the server> <room>
"""

import asyncio
import json
import sys

import websockets

sys.path.insert(0, sys.argv[1])
import talk  # noqa: E402


class Member:
    """A pipe with its sibling."""

    async def enter(self, base, room, token):
        self.grant, self.pipe_url, self.sibling_url = talk.granted(base, room, token)
        await self.wake()
        self.pipe = await self.open()
        await self.event("pipe.opened")
        return self

    async def wake(self, **more):
        self.sibling = await websockets.connect(self.sibling_url, subprotocols=["porthouse.sibling.v1"])
        self.calls = 1
        return (await talk.bound(self.sibling, self.grant, **more))["result"]

    async def open(self):
        protocols = ["porthouse.pipe.v1", "porthouse.ticket." + self.grant["pipeTicket"]]
        return await websockets.connect(self.pipe_url, subprotocols=protocols)

    async def event(self, name):
        while True:
            message = json.loads(await self.sibling.recv())
            if message.get("method") == name:
                return message["params"]

    async def call(self, method, params):
        self.calls += 1
        await self.sibling.send(json.dumps({"jsonrpc": "2.0", "id": self.calls, "method": method, "params": params}))
        while True:
            message = json.loads(await self.sibling.recv())
            if message.get("id") == self.calls:
                return message["result"]


async def messages(ann, ben):
    assert ann.pipe.subprotocol == "porthouse.pipe.v1", ann.pipe.subprotocol
    for message in ["ahoy", "", "äöü " * 1000, b"", bytes(range(256)) * 200]:
        await ann.pipe.send(message)
        assert await ben.pipe.recv() == message, "as it was sent"
    await ann.pipe.send(["in ", "three ", "parts"])
    assert await ben.pipe.recv() == "in three parts"
    await (await ann.pipe.ping(b"there?"))


async def refusal(ann, ben):
    await ann.pipe.send("x" * 70_000)
    refused = await ann.event("pipe.refused")
    assert refused["error"] == {"name": "message_too_large", "limit": 65536} and refused["from"] == 7, refused
    await ann.pipe.send("and on")
    assert await ben.pipe.recv() == "and on"
    counters = await ann.call("fence", {"after": {"epoch": 1, "c2s": 8}, "scope": "room"})
    assert counters["c2sRouted"] == 8, counters


async def sleep(ann, ben):
    """The sibling sleeps; what it misses it hears when it wakes."""
    await ann.sibling.close()
    await ann.pipe.send("y" * 70_000)
    await ann.pipe.send("while it sleeps")
    assert await ben.pipe.recv() == "while it sleeps"
    result = await ann.wake(lastSeq=2)
    assert result["gap"] is None and result["headSeq"] == 3, result
    missed = await ann.event("pipe.refused")
    assert missed["replay"] and missed["from"] == 9, missed


async def end(ann, ben):
    try:
        await ann.open()
        raise AssertionError("a ticket opens one pipe")
    except websockets.exceptions.InvalidHandshake as refused:
        assert "401" in str(refused), refused
    await ben.pipe.close()
    assert (await ben.event("pipe.ended"))["cause"] == "closed_by_peer"
    await ann.call("pipe.close", {})
    await ann.pipe.wait_closed()
    assert ann.pipe.close_code == 1000, ann.pipe.close_code
    for member in (ann, ben):
        await member.sibling.close()


async def main(base, room):
    ann = await Member().enter(base, room, "dev.ann")
    ben = await Member().enter(base, room, "dev.ben")
    for part in (messages, refusal, sleep, end):
        await part(ann, ben)
    print("done")


asyncio.run(main(*sys.argv[2:]))
