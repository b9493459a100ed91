"""What tools against censorship such as zapret and ByeDPI do on a client's machine: the ClientHello goes out in several TLS
records instead of one. Everything after it passes unchanged."""

import asyncio
import contextlib

HEAD = 5


def split(record, cuts):
    """The same handshake bytes in records that end at `cuts`, places in the record's body."""
    head, body = record[:3], record[HEAD:]
    edges = [0, *(cut for cut in cuts if cut < len(body)), len(body)]
    pieces = (body[begin:end] for begin, end in zip(edges, edges[1:]))
    return b"".join(head + len(piece).to_bytes(2, "big") + piece for piece in pieces)


class Splitter:
    """Listens on a port of its own and relays to `port`, behind the bytes of `header`."""

    def __init__(self, port, header, cuts):
        self._target = port
        self._header = header
        self._cuts = cuts
        self.splits = 0

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self._server.close()

    async def _serve(self, reader, writer):
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            there, onward = await asyncio.open_connection("127.0.0.1", self._target)
            head = await reader.readexactly(HEAD)
            record = head + await reader.readexactly(int.from_bytes(head[3:], "big"))
            onward.write(self._header + split(record, self._cuts))
            self.splits += 1
            await asyncio.gather(relay(reader, onward), relay(there, writer))


async def relay(reader, writer):
    """Passes on everything, and the end."""
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    finally:
        writer.close()
