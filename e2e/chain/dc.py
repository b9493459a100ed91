"""A data centre on loopback: answers `req_pq_multi` with `resPQ`, and carries out orders to move bytes (wire.py)."""

import asyncio
import hashlib
import os
import struct
import sys
import time

import wire

# One of Telegram's public keys, and the example of its documentation for a product of two primes.
FINGERPRINT = 0xD09D1D85DE64FD85
PRODUCT = bytes.fromhex("17ED48941A08F981")


def res_pq(body):
    """The answer to a request for resPQ, or None to anything else."""
    if len(body) < 20 or int.from_bytes(body[:4], "little") != wire.REQ_PQ_MULTI:
        return None
    product = bytes([len(PRODUCT)]) + PRODUCT + bytes(3)
    keys = struct.pack("<IIQ", 0x1CB5C415, 1, FINGERPRINT)
    return struct.pack("<I", wire.RES_PQ) + body[4:20] + os.urandom(16) + product + keys


class DataCentre:
    """Counts what it sees, so that a test can ask."""

    def __init__(self):
        self.connections = 0
        self.pings = 0
        self.received = 0
        self.sent = 0
        self.port = None

    async def start(self, port=0):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def _serve(self, reader, writer):
        try:
            await self._session(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # Over, also when the whole program is.
        finally:
            writer.close()

    async def _session(self, reader, writer):
        init = await reader.readexactly(64)
        incoming, outgoing = wire.ciphers(init)
        tag = incoming.update(init)[56:60]
        if tag not in wire.TRANSPORTS.values():
            return
        self.connections += 1

        async def exactly(size):
            data = incoming.update(await reader.readexactly(size))
            self.received += size
            return data

        async def send(data):
            self.sent += len(data)
            writer.write(outgoing.update(data))
            await writer.drain()

        while True:
            head, content = await wire.read_frame(tag, exactly)
            if content[:8] == wire.ORDER:
                await self._move(tag, head + content, exactly, send)
            elif content[:8] == bytes(8) and (answer := res_pq(wire.plain_body(content))):
                # The last two bits tell an answer of the server.
                message = wire.plain_message(int(time.time()) << 32 | 1, answer)
                self.pings += 1
                await send(wire.frame_head(tag, len(message)) + message)

    async def _move(self, tag, first, exactly, send):
        at = first.index(wire.ORDER)
        _, up, down = wire.ORDER_HEAD.unpack_from(first, at)
        digest = hashlib.sha256(first)
        left = up - len(first)
        while left:
            part = await exactly(min(left, 64 * 1024))
            digest.update(part)
            left -= len(part)
        for packet in wire.reply(tag, down, digest.digest()):
            await send(packet)


async def main():
    centre = await DataCentre().start(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
    print(centre.port, flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
