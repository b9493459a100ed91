"""The panel's certificate by ACME, as a server gets it over its port 443 alone: Traefik with the files of deploy/traefik,
and Pebble, Let's Encrypt's own test server, which asks Traefik for the proof (RFC 8737) and signs."""

import asyncio
import contextlib
import json
import os
import ssl
import stat
import sys
import tempfile
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "chain"))

# After the path is known.
import masked_site
import traefik
from harness import Processes, Report, expect, free_port, until
from routes import ANSWER, MASK, PANEL, Listener


async def authority(processes, folder, proof_port):
    """Starts Pebble, which finds every name on this machine and asks for proofs on `proof_port`. Gives its address, the
    file that vouches for that, and how to get the root of what it signs."""
    port, management, names = free_port(), free_port(), free_port()
    pem, _ = masked_site.certificate("localhost")
    own = folder / "authority.pem"
    own.write_bytes(pem)
    settings = {
        "listenAddress": f"127.0.0.1:{port}",
        "managementListenAddress": f"127.0.0.1:{management}",
        "certificate": str(own),
        "privateKey": str(own),
        "httpPort": free_port(),
        "tlsPort": proof_port,
    }
    (folder / "authority.json").write_text(json.dumps({"pebble": settings}))
    unused = [f"-{service}=" for service in ("http01", "https01", "tlsalpn01", "defaultIPv6")]
    control = free_port()
    dns = ["pebble-challtestsrv", f"-dns01=127.0.0.1:{names}", f"-management=127.0.0.1:{control}", *unused]
    await processes.start("names", dns, {"PATH": os.environ["PATH"]})
    # Whoever asks for a name too early fails, and Traefik does not soon try again.
    await processes.serving("names", control)
    line = ["pebble", f"-config={folder / 'authority.json'}", f"-dnsserver=127.0.0.1:{names}", "-strict"]
    await processes.start("authority", line, {"PATH": os.environ["PATH"], "PEBBLE_VA_NOSLEEP": "1"})
    await processes.serving("authority", port)
    await processes.serving("authority", management)
    trusting = ssl.create_default_context(cafile=str(own))

    def root():
        with urllib.request.urlopen(f"https://localhost:{management}/roots/0", context=trusting, timeout=5) as answer:
            return answer.read().decode()

    return f"https://localhost:{port}/dir", own, root


async def round_of(report, folder, other_names):
    """One choice, from no certificate to a page that a browser trusts."""
    proxy, site = await Listener().start(), await Listener().start()
    panel = await Listener(ANSWER).start()
    processes, port = Processes(folder), free_port()
    try:
        address, own, root = await authority(processes, folder, port)
        line = traefik.command(
            folder, port, MASK, proxy.address, other_names=other_names, site=site.address, panel=PANEL,
            panel_target=panel.address, authority=address,
        )
        await processes.start("traefik", line, {"PATH": os.environ["PATH"], "LEGO_CA_CERTIFICATES": str(own)})
        await processes.serving("traefik", port)
        async with report.check(f"{other_names}: a certificate is asked for, proved over port 443 alone, and served"):
            trusted = await asyncio.to_thread(root)

            async def served():
                with contextlib.suppress(ssl.SSLError, ConnectionError):
                    _, answer = await masked_site.visit("127.0.0.1", port, PANEL, root=trusted)
                    return answer

            try:
                answer = await until(served, 45, "a certificate is served")
            except Exception:
                print(processes.tail("traefik"), processes.tail("authority"), sep="\n", flush=True)
                raise
            expect(answer.endswith(b"panel"), answer)
        async with report.check(f"{other_names}: its key is for its owner alone"):
            mode = stat.S_IMODE((folder / "acme.json").stat().st_mode)
            expect(mode == 0o600, oct(mode))
        async with report.check(f"{other_names}: neither the proxy nor the masking site was asked for the proof"):
            expect(not proxy.visits, proxy.visits)
            expect(not any(PANEL.encode() in visit for visit in site.visits), site.visits)
    finally:
        await processes.stop()


async def main():
    report = Report()

    async def one(other_names):
        with tempfile.TemporaryDirectory(prefix="acme-") as folder:
            async with report.check(f"{other_names}: gone through to its end", 120):
                await round_of(report, Path(folder).resolve(), other_names)

    await asyncio.gather(*(one(other_names) for other_names in ("close", "mask")))
    print(f"{report.passed} passed, {report.failed} failed", flush=True)
    return report.failed > 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
