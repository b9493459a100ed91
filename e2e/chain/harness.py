"""What a run needs around its checks: a report, waiting for conditions, processes that end with it, the panel's API."""

import asyncio
import contextlib
import http.client
import json
import random
import socket
import time


class Report:
    """Prints one line for each check. A check that fails does not stop those after it."""

    def __init__(self):
        self.passed = 0
        self.failed = 0
        self.skipped = 0

    def skip(self, sentence, reason):
        self.skipped += 1
        print(f"skipped {sentence}: {reason}", flush=True)

    @contextlib.asynccontextmanager
    async def check(self, sentence, patience=30):
        """Gives a list: what is put into it is printed with the sentence."""
        notes = []
        try:
            async with asyncio.timeout(patience):
                yield notes
        except Exception as error:
            self.failed += 1
            print(f"FAILED  {sentence}: {type(error).__name__}: {error}", flush=True)
        else:
            self.passed += 1
            print(f"ok      {sentence}" + (f" ({', '.join(notes)})" if notes else ""), flush=True)


def expect(condition, *facts):
    if not condition:
        raise AssertionError(" ".join(map(str, facts)) or "it is not so")


async def until(condition, seconds, what):
    """Asks again and again, because nobody tells when it holds. Gives the first answer that is true."""
    deadline = time.monotonic() + seconds
    while not (answer := await condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds} s")
        await asyncio.sleep(0.02)
    return answer


def free_port():
    """Below the range of outgoing connections, so that none of them takes the port before its server does."""
    while True:
        port = random.randint(20000, 32000)
        with socket.socket() as candidate, contextlib.suppress(OSError):
            candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            candidate.bind(("127.0.0.1", port))
            return port


async def is_open(port):
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.transport.abort()
    return True


class Processes:
    """Starts programs with a log each, and ends exactly these."""

    def __init__(self, folder):
        self._folder = folder
        self._running = {}

    async def start(self, name, command, environment):
        with open(self._folder / f"{name}.log", "ab") as log:
            self._running[name] = await asyncio.create_subprocess_exec(
                *command, cwd=self._folder, env=environment, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log
            )

    async def serving(self, name, port, seconds=30):
        """Waits for its port; does not wait for a program that has ended."""

        async def ready():
            expect(not self.ended(name), f"{name} has ended:\n{self.tail(name)}")
            return await is_open(port)

        await until(ready, seconds, f"{name} serves on {port}")

    def ended(self, name):
        return self._running[name].returncode is not None

    def names(self):
        return list(self._running)

    def tail(self, name, lines=15):
        return "\n".join((self._folder / f"{name}.log").read_text(errors="replace").splitlines()[-lines:])

    async def end(self, name, seconds=30):
        """Tells one to end, and gives its exit code."""
        self._running[name].terminate()
        async with asyncio.timeout(seconds):
            return await self._running[name].wait()

    async def stop(self):
        for process in self._running.values():
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        for process in self._running.values():
            try:
                async with asyncio.timeout(10):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()


async def run(command, environment=None, patience=30):
    """Exit code and output of a program that ends by itself."""
    process = await asyncio.create_subprocess_exec(
        *command,
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(patience):
            output, errors = await process.communicate()
    except BaseException:
        process.kill()
        await process.wait()
        raise
    return process.returncode, output.decode().strip(), errors.decode().strip()


class Panel:
    """The panel's API as one administrator."""

    def __init__(self, port):
        self._port = port
        self._token = None

    def _ask(self, method, path, body):
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=15)
        try:
            headers = {"Content-Type": "application/json"}
            if self._token:
                headers["Authorization"] = f"Bearer {self._token}"
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            text = answer.read()
            expect(answer.status < 300, method, path, answer.status, text.decode())
            return json.loads(text) if text else {"config_sync": {"state": answer.headers["Config-Sync"]}}
        finally:
            connection.close()

    async def ask(self, method, path, body=None):
        return await asyncio.to_thread(self._ask, method, path, body)

    async def log_in(self, name, password):
        answer = await self.ask("POST", "/api/admin/token", {"username": name, "password": password})
        self._token = answer["access_token"]

    async def change(self, method, path, body=None):
        """A change that has reached the proxy's file."""
        answer = await self.ask(method, path, body)
        expect(answer["config_sync"]["state"] == "applied", answer["config_sync"])
        return answer

    async def create(self, name, **fields):
        """Both links of the new user."""
        answer = await self.change("POST", "/api/users", {"username": name, **fields})
        return answer["proxy_links"]

    async def set(self, name, **fields):
        return await self.change("PUT", f"/api/users/{name}", fields)

    async def user(self, name):
        return await self.ask("GET", f"/api/users/{name}")

    async def scraped_at(self):
        return (await self.ask("GET", "/api/system/stats"))["proxy"]["scraped_at"]

    async def has_written(self):
        return (await self.ask("GET", "/api/system/stats"))["config_sync"]["state"] == "applied"

    async def scrapes(self, count):
        """Waits until the proxy was read so many times more."""
        for _ in range(count):
            last = await self.scraped_at()

            async def newer():
                return await self.scraped_at() != last

            await until(newer, 10, "another scrape")
