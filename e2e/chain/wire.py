"""What client and data centre have in common: obfuscated2, packet framing, and the order to move bytes.

An order asks for an exact number of bytes both ways. It is the head of the first packet, and its numbers count
everything after the 64 bytes of obfuscated2's beginning, framing included, because that is what a proxy relays and
counts. What comes down is a key stream whose key is the hash of everything that went up, so a client that gets the
right bytes knows that both directions arrived unchanged.
"""

import hashlib
import os
import struct

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

TRANSPORTS = {"abridged": b"\xef" * 4, "intermediate": b"\xee" * 4, "padded": b"\xdd" * 4}
# Where an encrypted message has the identifier of its key, which is never this.
ORDER = b"mtpannel"
ORDER_HEAD = struct.Struct("<8sQQ")
LARGEST_FRAME = 64 * 1024

REQ_PQ_MULTI = 0xBE7E8EF1
RES_PQ = 0x05162463


def key_stream(key, iv=bytes(16)):
    return Cipher(AES(key), CTR(iv)).encryptor()


def ciphers(init, secret=b""):
    """The two ciphers that follow from the 64 bytes: to the server, to the client."""

    def one(part):
        key = hashlib.sha256(part[:32] + secret).digest() if secret else part[:32]
        return key_stream(key, part[32:])

    return one(init[8:56]), one(init[8:56][::-1])


def frame_head(tag, size):
    if tag != TRANSPORTS["abridged"]:
        return struct.pack("<I", size)
    words = size // 4
    return bytes([words]) if words < 0x7F else b"\x7f" + words.to_bytes(3, "little")


async def read_frame(tag, exactly):
    """One packet: the bytes of its head, and its content. `exactly(n)` gives n bytes of the stream."""
    if tag != TRANSPORTS["abridged"]:
        head = await exactly(4)
        return head, await exactly(int.from_bytes(head, "little") & 0x7FFFFFFF)
    head = await exactly(1)
    words = head[0] & 0x7F
    if words == 0x7F:
        head += await exactly(3)
        words = int.from_bytes(head[1:], "little")
    return head, await exactly(4 * words)


def frames(tag, total, content):
    """Well-formed packets of `total` bytes altogether. `content(n)` gives n bytes to put in."""
    # Below 512 bytes abridged has short heads, and then not every multiple of four is a sum of packets.
    smallest = 512 if tag == TRANSPORTS["abridged"] else 8
    step = 1 if tag == TRANSPORTS["padded"] else 4
    if total and (total < smallest or total % step):
        raise ValueError(f"this framing cannot make {total} bytes")
    while total:
        size = min(total, LARGEST_FRAME)
        if 0 < total - size < smallest:
            size -= smallest
        yield frame_head(tag, size - 4) + content(size - 4)
        total -= size


def order(tag, up, down):
    """The packets that a client sends."""
    head = ORDER_HEAD.pack(ORDER, up, down)
    if up < 4 + len(head):
        raise ValueError(f"an order alone takes {4 + len(head)} bytes up")
    pending = head

    def content(size):
        nonlocal pending
        part, pending = pending + os.urandom(size - len(pending)), b""
        return part

    return frames(tag, up, content)


def reply(tag, down, digest):
    """The packets that come back, known to both sides."""
    stream = key_stream(digest)
    return frames(tag, down, lambda size: stream.update(bytes(size)))


def plain_message(message_id, body):
    """A message of MTProto before there is a key."""
    return struct.pack("<QQI", 0, message_id, len(body)) + body


def plain_body(message):
    """Without the padding that may follow it."""
    return message[20 : 20 + int.from_bytes(message[16:20], "little")]
