"""What Traefik does with the files of deploy/traefik, by choice of OTHER_NAMES (`mask` where nothing is said) and PANEL_DOMAIN. The panel's certificate
is laid beside, because acme.py is about how a server gets one; everything else is what a server runs."""

import asyncio
import contextlib
import os
import ssl
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "chain"))

# After the path is known.
import client
import masked_site
import traefik
from harness import Processes, Report, expect, free_port, until

MASK, PANEL, OTHER = "mask.example", "panel.example", "other.example"
HELLO = client.client_hello(bytes(16), MASK)
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\npanel"
PLAIN = b"GET / HTTP/1.1\r\nHost: mask.example\r\n\r\n"


class Listener:
    """Takes down what arrives on each connection, and says `greeting`."""

    def __init__(self, greeting=b""):
        self.visits = []
        self._greeting = greeting

    async def start(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.address = "127.0.0.1:%d" % self._server.sockets[0].getsockname()[1]
        return self

    async def _serve(self, reader, writer):
        visit = bytearray()
        self.visits.append(visit)
        try:
            while data := await reader.read(64 * 1024):
                visit += data
                writer.write(self._greeting)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def saw(self, part):
        async def seen():
            return [bytes(visit) for visit in self.visits if part in visit]

        return (await until(seen, 5, f"{part[:20]!r} arrives"))[0]


async def knock(port, data, seconds=2):
    """Sends this, and tells what comes back until the connection is closed, and whether it is open after so long."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(data)
        async with asyncio.timeout(seconds):
            return await reader.read(), False
    except (TimeoutError, ConnectionError) as error:
        return b"", isinstance(error, TimeoutError)
    finally:
        writer.transport.abort()


async def round_of(report, folder, other_names, with_panel):
    """Traefik with one choice, and what it must do."""

    def check(sentence):
        return report.check(f"{other_names or 'default'}, {'with' if with_panel else 'without'} the panel's domain: {sentence}")

    proxy, site = await Listener().start(), await Listener().start()
    panel = await Listener(ANSWER).start()
    pem, certificate = masked_site.certificate(PANEL)
    (folder / "panel.pem").write_bytes(pem)
    port = free_port()
    processes = Processes(folder)
    extra = {"panel": PANEL, "certificate": folder / "panel.pem"} if with_panel else {}
    line = traefik.command(
        folder, port, MASK, proxy.address, other_names=other_names, site=site.address, panel_target=panel.address, **extra
    )
    await processes.start("traefik", line, {"PATH": os.environ["PATH"]})
    try:
        await processes.serving("traefik", port)
        async with check("the masking domain's TLS reaches the proxy untouched, behind a PROXY v2 header"):

            # Its port is open before its routes are there.
            async def routed():
                await knock(port, HELLO, 0.2)
                return any(HELLO in visit for visit in proxy.visits)

            await until(routed, 10, "Traefik routes")
            seen = await proxy.saw(HELLO)
            expect(seen.startswith(b"\r\n\r\n\0\r\nQUIT\n\x21"), seen[:16])
            expect(seen.endswith(HELLO), "something is behind it")
        other = client.client_hello(bytes(16), OTHER)
        if other_names != "close":
            async with check("another name reaches the site untouched"):
                await knock(port, other, 0.2)
                expect(await site.saw(other) == other, "it was changed")
            async with check("what is no TLS reaches the site untouched"):
                await knock(port, PLAIN, 0.2)
                expect(await site.saw(PLAIN) == PLAIN, "it was changed")
        else:
            async with check("another name is refused and shown no certificate"):
                answer, is_open = await knock(port, other)
                # An alert at most.
                expect(not is_open and (not answer or answer[:1] == b"\x15"), answer, is_open)
            async with check("what is no TLS is closed without an answer"):
                expect(await knock(port, PLAIN) == (b"", False))
            async with check("the site is left alone"):
                expect(not site.visits, site.visits)
        if with_panel:
            async with check("the panel's domain is served over HTTPS, and the panel learns who the client is"):
                shown, answer = await masked_site.visit("127.0.0.1", port, PANEL)
                expect(shown == certificate, "another certificate")
                expect(answer.endswith(b"panel"), answer)
                request = await panel.saw(b"GET / ")
                for header in (b"X-Forwarded-For: 127.0.0.1", b"X-Forwarded-Proto: https"):
                    expect(header in request, request)
        elif other_names == "close":
            async with check("no panel is to be seen"):
                with contextlib.suppress(ssl.SSLError, ConnectionError):
                    expect(False, await masked_site.visit("127.0.0.1", port, PANEL))
                expect(not panel.visits, panel.visits)
    finally:
        await processes.stop()


async def main():
    report = Report()

    async def one(other_names, with_panel):
        with tempfile.TemporaryDirectory(prefix="traefik-") as folder:
            async with report.check(f"{other_names}, {with_panel}: gone through to its end", 90):
                await round_of(report, Path(folder).resolve(), other_names, with_panel)

    # Together, because Traefik takes its time to end.
    await asyncio.gather(*(one(other_names, with_panel) for other_names in ("close", "mask", "") for with_panel in (False, True)))
    print(f"{report.passed} passed, {report.failed} failed", flush=True)
    return report.failed > 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
