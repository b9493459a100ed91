"""The whole chain on loopback: panel, proxy, a client with the link of the API, a data centre, a masked site.

Once without anything in front of the proxy, once with Traefik and the PROXY protocol, and once with the proxy in the
panel's own process, as `make run` starts it. The environment:
MTPANNEL_BIN  the panel (and the built-in proxy)
TELEMT_BIN    telemt as the proxy; empty for `MTPANNEL_BIN proxy --config FILE`
ROUNDS        some of `direct`, `traefik` and `embedded`; without it all, but with TELEMT_BIN the first two
KEEP          a folder for files and logs that stays
"""

import asyncio
import contextlib
import os
import secrets
import signal
import sys
import tempfile
from pathlib import Path

import client
import masked_site
import traefik
from checks import SCRAPE, SLACK, TELEMT, Checks
from client import Options, Refused
from configuration import DOMAIN, configuration
from dc import DataCentre
from harness import Panel, Processes, Report, expect, free_port, run, until
from visitor import Visitor

PING = ["node", str(Path(__file__).with_name("ping.mjs"))]
KINDS = {
    "direct": "directly:",
    "traefik": "through Traefik with PROXY v2:",
    "embedded": "directly, with the proxy in the panel's process:",
}


class Chain(Checks):
    """One round: everything started, and the checks over it."""

    def __init__(self, report, folder, kind):
        self.report = report
        self.folder = folder
        self.embedded = kind == "embedded"
        self.through_traefik = through_traefik = kind == "traefik"
        self.processes = Processes(folder)
        self.ports = {name: free_port() for name in ("panel", "proxy", "metrics", "api", "front")}
        # Whoever comes to the proxy's own port has to say an address, if the proxy expects it.
        self.at_proxy = Options(proxy=(2, "203.0.113.7")) if through_traefik else Options()
        self.header = client.proxy_header(2, ("203.0.113.9", 50000), ("127.0.0.1", 443)) if through_traefik else b""

    @property
    def client_port(self):
        return self.ports["front" if self.through_traefik else "proxy"]

    async def start(self):
        self.centre = await DataCentre().start()
        self.site = await masked_site.MaskedSite(DOMAIN).start()
        self.config = config = self.folder / "telemt" / "config.toml"
        config.parent.mkdir()
        config.write_text(configuration(self.ports, self.centre.port, self.site.port, self.through_traefik))

        panel = os.environ["MTPANNEL_BIN"]
        base = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        environment = base | {
            "SECRET_KEY": secrets.token_hex(32),
            "DATABASE_URL": f"sqlite:///{self.folder}/panel.db",
            "TELEMT_CONFIG_PATH": str(config),
            "TELEMT_METRICS_URL": f"http://127.0.0.1:{self.ports['metrics']}/metrics",
            "METRICS_SCRAPE_INTERVAL_SECONDS": str(SCRAPE),
            "PROXY_HOST": "127.0.0.1",
            "PROXY_PORT": str(self.client_port),
            "TLS_DOMAIN": DOMAIN,
            "LISTEN": f"127.0.0.1:{self.ports['panel']}",
            "PANEL_METRICS_LISTEN": "127.0.0.1:0",
        }
        if self.embedded:
            environment["PROXY"] = "embedded"
        self.environment = environment
        code, self.password, errors = await run([panel, "admin", "create", "admin", "--sudo"], environment)
        expect(code == 0, "no administrator:", errors)
        await self.start_panel()

        command = [TELEMT, str(config)] if TELEMT else [panel, "proxy", "--config", str(config)]
        if not self.embedded:
            await self.processes.start("proxy", command, base | {"RUST_LOG": "info,telemt::links=off"})
        await self.processes.serving("panel" if self.embedded else "proxy", self.ports["proxy"], 60)
        if self.through_traefik:
            target = f"127.0.0.1:{self.ports['proxy']}"
            line = traefik.command(self.folder, self.ports["front"], DOMAIN, target)
            await self.processes.start("traefik", line, base)
            await self.processes.serving("traefik", self.ports["front"])
            # Its port is open before its routes are there.
            await until(self.site_answers, 10, "Traefik routes")

        async def scraped():
            return await self.panel.scraped_at()

        await until(scraped, 10, "the first scrape")

    async def start_panel(self):
        await self.processes.start("panel", [os.environ["MTPANNEL_BIN"], "serve"], self.environment)
        await self.processes.serving("panel", self.ports["panel"])
        self.panel = Panel(self.ports["panel"])
        await self.panel.log_in("admin", self.password)
        # A file that somebody else wrote must have been left alone for two seconds; before that it has no users.
        await until(self.panel.has_written, 10, "the panel writes the file")

    async def stop(self):
        await self.processes.stop()

    async def site_answers(self):
        try:
            certificate, _ = await masked_site.visit("127.0.0.1", self.client_port, DOMAIN)
            return certificate == self.site.certificate
        except OSError:
            return False

    # What several checks need.

    async def served(self, link, options=Options()):
        await client.ping(link, options)

    async def refused(self, link, options=Options()):
        try:
            await client.ping(link, options)
        except Refused as refusal:
            return refusal
        raise AssertionError("the proxy served it")

    async def masked(self, link, options=Options()):
        """Refused, and it was the masked site that answered: it has seen the very ClientHello."""
        refusal = await self.refused(link, options)
        expect(refusal.hello, "not answered like the masked site:", refusal)
        await self.site_sees(refusal.hello)

    async def served_soon(self, link):
        """A file that is written is not read yet."""

        async def answered():
            try:
                await client.ping(link, Options(patience=1))
            except Refused:
                return False
            return True

        await until(answered, SLACK, "the proxy serves it")

    async def tdlib(self, link):
        code, output, errors = await run([*PING, link])
        return code, output or errors

    async def accounted(self, name, up, down):
        """The panel's numbers, also after more scrapes than it takes to see everything."""

        async def enough():
            return (await self.panel.user(name))["data_used"] >= up + down

        await until(enough, 10, f"the panel accounts {up + down} bytes")
        await self.panel.scrapes(2)
        used = (await self.panel.user(name))["data_used"]
        expect(used == up + down, used, "accounted,", up + down, "moved")
        points = (await self.panel.ask("GET", f"/api/users/{name}/traffic?step=stored"))["points"]
        by_direction = sum(point["octets_from"] for point in points), sum(point["octets_to"] for point in points)
        expect(by_direction == (up, down), by_direction, "in the history,", (up, down), "moved")

    def knock(self, data):
        """A visitor at the proxy's port who sends just this."""
        return Visitor(self.ports["proxy"], self.header, data)

    async def site_sees(self, data, seconds=10):
        async def seen():
            return any(bytes(visit) == data for visit in self.site.visits)

        await until(seen, seconds, "the masked site sees these bytes")


async def one_round(report, folder, kind):
    print(KINDS[kind], flush=True)
    failed = report.failed
    chain = Chain(report, folder, kind)
    try:
        async with report.check("panel, proxy and everything around them start", 120):
            await chain.start()
        if report.failed == failed:
            # What is not inside a check and fails, fails the round.
            try:
                async with asyncio.timeout(240):
                    await chain.checks()
            except Exception as error:
                report.failed += 1
                print(f"FAILED  the round goes to its end: {type(error).__name__}: {error}", flush=True)
    finally:
        await chain.stop()
        if report.failed > failed:
            for name in chain.processes.names():
                print(f"--- the last lines of {name}:\n{chain.processes.tail(name)}", flush=True)


async def main():
    task = asyncio.current_task()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    report = Report()
    keep = os.environ.get("KEEP")
    rounds = os.environ.get("ROUNDS", "direct traefik" if TELEMT else "direct traefik embedded")
    for name in rounds.split():
        with contextlib.nullcontext(keep) if keep else tempfile.TemporaryDirectory(prefix="chain-") as folder:
            folder = Path(folder, name).resolve()
            folder.mkdir(parents=True)
            await one_round(report, folder, name)
    skipped = f", {report.skipped} skipped" if report.skipped else ""
    print(f"{report.passed} passed, {report.failed} failed{skipped}", flush=True)
    return report.failed > 0 or not report.passed


if __name__ == "__main__":
    try:
        sys.exit(asyncio.run(main()))
    except asyncio.CancelledError:
        sys.exit("told to stop")
