"""Somebody at the proxy's port who is no client."""

import asyncio

from client import Refused, Session


class Visitor:
    """A connection to the proxy's port over which bytes go as they are."""

    def __init__(self, port, header, data):
        self._port = port
        self._data = header + data

    async def __aenter__(self):
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        await self.send(self._data)
        return self

    async def __aexit__(self, *_):
        self._writer.transport.abort()

    async def send(self, data):
        self._writer.write(data)
        await self._writer.drain()

    async def is_proxy(self, secret, hello):
        """Whether the answer proves the secret."""
        try:
            await Session._check_server_hello(self._reader, secret, hello)
        except (Refused, OSError, asyncio.IncompleteReadError):
            return False
        return True
