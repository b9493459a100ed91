"""A Telegram client as far as a proxy can see: FakeTLS, obfuscated2, packets. It moves exact numbers of bytes."""

import argparse
import asyncio
import hashlib
import hmac
import ipaddress
import os
import struct
import sys
import time
import urllib.parse
from dataclasses import dataclass, replace

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

import wire

RECORD = 16 * 1024
# Where both hellos have their random: record head, message head, version.
RANDOM = slice(11, 43)
# Beginnings that a proxy takes for other protocols.
OTHER_PROTOCOLS = (b"HEAD", b"POST", b"GET ", b"OPTI", b"\xdd" * 4, b"\xee" * 4, b"\x16\x03\x01\x02")


class Refused(Exception):
    """The proxy did not take us for its user. `hello`: somebody answered this ClientHello who does not know the secret."""

    def __init__(self, why, hello=None):
        super().__init__(why)
        self.hello = hello


class Cut(Exception):
    """An open session ended."""


@dataclass(frozen=True)
class Link:
    host: str
    port: int
    secret: bytes
    domain: str

    @classmethod
    def parse(cls, link):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(link).query, strict_parsing=True)
        secret = bytes.fromhex(query["secret"][0])
        if secret[:1] != b"\xee" or len(secret) < 18:
            raise ValueError("not a FakeTLS link")
        return cls(query["server"][0], int(query["port"][0]), secret[1:17], secret[17:].decode("ascii"))


def client_hello(secret, domain, size=0):
    """A ClientHello that proves the secret, padded to at least `size` bytes of the record."""

    def vector(width, data):
        return len(data).to_bytes(width, "big") + data

    def extension(kind, data):
        return struct.pack(">H", kind) + vector(2, data)

    share = X25519PrivateKey.generate().public_key().public_bytes_raw()
    extensions = b"".join([
        extension(0x0000, vector(2, b"\0" + vector(2, domain.encode("ascii")))),
        extension(0x000A, vector(2, bytes.fromhex("001d00170018"))),
        extension(0x000D, vector(2, bytes.fromhex("04030804040105030805050108060601"))),
        extension(0x0010, vector(2, vector(1, b"h2") + vector(1, b"http/1.1"))),
        extension(0x002B, vector(1, bytes.fromhex("03040303"))),
        extension(0x002D, vector(1, b"\1")),
        extension(0x0033, vector(2, struct.pack(">H", 0x001D) + vector(2, share))),
    ])
    start = b"\x03\x03" + bytes(32) + vector(1, os.urandom(32))
    start += vector(2, bytes.fromhex("130113021303c02bc02fc02cc030")) + vector(1, b"\0")
    bare = 5 + 4 + len(start) + 2 + len(extensions)
    if bare < size:
        extensions += extension(0x0015, bytes(max(0, size - bare - 4)))
    body = start + vector(2, extensions)
    record = bytearray(b"\x16\x03\x01" + vector(2, b"\x01" + vector(3, body)))
    digest = bytearray(hmac.digest(secret, record, "sha256"))
    now = struct.pack("<I", int(time.time()))
    digest[28:] = bytes(a ^ b for a, b in zip(digest[28:], now))
    record[RANDOM] = digest
    return bytes(record)


def proxy_header(version, source, target):
    """A header of the PROXY protocol over IPv4. Addresses are (host, port)."""
    if version == 1:
        return f"PROXY TCP4 {source[0]} {target[0]} {source[1]} {target[1]}\r\n".encode("ascii")
    addresses = b"".join(ipaddress.IPv4Address(host).packed for host, _ in (source, target))
    ports = struct.pack(">HH", source[1], target[1])
    return b"\r\n\r\n\0\r\nQUIT\n\x21\x11" + struct.pack(">H", 12) + addresses + ports


@dataclass(frozen=True)
class Options:
    """What a session may do otherwise than a well-behaved client."""

    transport: str = "padded"
    dc: int = 2
    # The name in the ClientHello, if not the link's.
    sni: str | None = None
    # (version, source address), None for no header.
    proxy: tuple | None = None
    hello_size: int = 517
    # Bytes of the ClientHello per segment; 0 sends it at once.
    segment: int = 0
    patience: float = 10


class Session:
    """An open session. `up` and `down` are what was moved so far, counted like an order counts."""

    def __init__(self, reader, writer, tag):
        self._reader = reader
        self._writer = writer
        self._tag = tag
        self._plain = bytearray()
        self.up = 0
        self.down = 0

    @classmethod
    async def open(cls, link, options=Options()):
        if isinstance(link, str):
            link = Link.parse(link)
        try:
            async with asyncio.timeout(options.patience):
                return await cls._open(link, options)
        except TimeoutError:
            raise Refused("no answer") from None
        except (OSError, asyncio.IncompleteReadError) as error:
            raise Refused(f"closed in the handshake: {type(error).__name__}") from None

    @classmethod
    async def _open(cls, link, options):
        reader, writer = await asyncio.open_connection(link.host, link.port)
        try:
            if options.proxy:
                version, source = options.proxy
                writer.write(proxy_header(version, (source, 50000), (link.host, link.port)))
            hello = client_hello(link.secret, options.sni or link.domain, options.hello_size)
            for start in range(0, len(hello), options.segment or len(hello)):
                writer.write(hello[start : start + (options.segment or len(hello))])
                await writer.drain()
                # Gives the segment a chance to travel alone.
                await asyncio.sleep(0)
            await cls._check_server_hello(reader, link.secret, hello)
            session = cls(reader, writer, wire.TRANSPORTS[options.transport])
            session._obfuscate(link.secret, options.dc)
            await writer.drain()
            return session
        except BaseException:
            writer.transport.abort()
            raise

    @staticmethod
    async def _check_server_hello(reader, secret, hello):
        """Server hello, change of cipher, first application record: their HMAC takes the server's random's place."""
        answer = bytearray()
        for kind in (0x16, 0x14, 0x17):
            head = await reader.readexactly(5)
            if head[0] != kind:
                raise Refused(f"a record of kind {head[0]} instead of {kind}", hello)
            answer += head + await reader.readexactly(int.from_bytes(head[3:], "big"))
        found = bytes(answer[RANDOM])
        answer[RANDOM] = bytes(32)
        if not hmac.compare_digest(found, hmac.digest(secret, hello[RANDOM] + answer, "sha256")):
            raise Refused("the server does not know the secret", hello)
        if answer[43:76] != hello[43:76]:
            raise Refused("the server hello does not echo the session identifier", hello)

    def _obfuscate(self, secret, dc):
        while True:
            init = bytearray(os.urandom(64))
            if init[0] != 0xEF and not init.startswith(OTHER_PROTOCOLS) and init[4:8] != bytes(4):
                break
        init[56:62] = self._tag + struct.pack("<h", dc)
        self._to_server, self._to_client = wire.ciphers(bytes(init), secret)
        init[56:] = self._to_server.update(bytes(init))[56:]
        self._writer.write(b"\x14\x03\x03\0\1\1")
        self._write_records(bytes(init))

    def _write_records(self, data):
        for start in range(0, len(data), RECORD):
            part = data[start : start + RECORD]
            self._writer.write(b"\x17\x03\x03" + struct.pack(">H", len(part)) + part)

    async def _send(self, data):
        try:
            self._write_records(self._to_server.update(data))
            await self._writer.drain()
        except OSError as error:
            raise Cut(type(error).__name__) from None
        self.up += len(data)

    async def _record(self):
        """Takes in the next record of data."""
        try:
            while True:
                head = await self._reader.readexactly(5)
                data = await self._reader.readexactly(int.from_bytes(head[3:], "big"))
                if head[0] == 0x17:
                    self._plain += self._to_client.update(data)
                    self.down += len(data)
                    return
        except (OSError, asyncio.IncompleteReadError) as error:
            raise Cut(type(error).__name__) from None

    async def _exactly(self, size):
        while len(self._plain) < size:
            await self._record()
        data = bytes(self._plain[:size])
        del self._plain[:size]
        return data

    async def ping(self):
        """Asks for resPQ, as every client does first."""
        nonce = os.urandom(16)
        body = struct.pack("<I", wire.REQ_PQ_MULTI) + nonce
        message = wire.plain_message(int(time.time()) << 32, body)
        await self._send(wire.frame_head(self._tag, len(message)) + message)
        _, answer = await wire.read_frame(self._tag, self._exactly)
        if answer[20:40] != struct.pack("<I", wire.RES_PQ) + nonce:
            raise ValueError("not the answer to this request")

    async def move(self, up, down):
        """Moves exactly so many bytes, and checks that they arrived unchanged."""
        digest = hashlib.sha256()
        for packet in wire.order(self._tag, up, down):
            digest.update(packet)
            await self._send(packet)
        for packet in wire.reply(self._tag, down, digest.digest()):
            if await self._exactly(len(packet)) != packet:
                raise ValueError("other bytes came than were sent")

    async def cut(self, patience):
        """Waits until somebody else ends the session, and tells after how many seconds that was."""
        start = time.monotonic()
        async with asyncio.timeout(patience):
            try:
                while True:
                    await self._record()
            except Cut:
                return time.monotonic() - start

    def close(self):
        self._writer.transport.abort()

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        self.close()


async def ping(link, options=Options()):
    """A whole session. A proxy may also refuse after the handshake, so only resPQ proves that it serves."""
    async with await Session.open(link, options) as session:
        try:
            async with asyncio.timeout(options.patience):
                await session.ping()
        except Cut as error:
            raise Refused(f"cut before an answer: {error}") from None
        except TimeoutError:
            raise Refused("no answer of the data centre") from None


async def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("link", help="tg://proxy?… or https://t.me/proxy?…")
    arguments.add_argument("--up", type=int, default=0, help="bytes to the data centre, framing included")
    arguments.add_argument("--down", type=int, default=0, help="bytes back")
    arguments.add_argument("--stay", type=float, default=0, metavar="SECONDS", help="stay open and tell when it is cut")
    arguments.add_argument("--transport", choices=wire.TRANSPORTS, default="padded")
    arguments.add_argument("--dc", type=int, default=2)
    arguments.add_argument("--wrong-secret", action="store_true")
    arguments.add_argument("--sni", help="another name than the link's")
    arguments.add_argument("--proxy-header", type=int, choices=(1, 2))
    arguments.add_argument("--source", default="203.0.113.7", help="address in the PROXY header")
    arguments.add_argument("--hello-size", type=int, default=517)
    arguments.add_argument("--segment", type=int, default=0)
    given = arguments.parse_args()
    link = Link.parse(given.link)
    if given.wrong_secret:
        link = replace(link, secret=os.urandom(16))
    header = (given.proxy_header, given.source) if given.proxy_header else None
    options = Options(given.transport, given.dc, given.sni, header, given.hello_size, given.segment)
    try:
        async with await Session.open(link, options) as session:
            await session.ping()
            print("answered")
            if given.up:
                await session.move(given.up, given.down)
            print(f"up {session.up} down {session.down}", flush=True)
            if given.stay:
                print(f"cut after {await session.cut(given.stay):.3f} s")
    except (Refused, Cut) as error:
        sys.exit(f"{type(error).__name__}: {error}")
    except TimeoutError:
        print("still open")


if __name__ == "__main__":
    asyncio.run(main())
