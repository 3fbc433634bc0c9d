"""Starts what a run needs and ends it again: the fixture, and toolcrib in front of it.

Every process is the first of a group of its own, so that nothing of it is left; ports are free ones of loopback.
"""

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import suite

FIXTURE = suite.HERE / "fixture" / "main.mjs"
START_S = 30


class NotUp(Exception):
    """A process did not start serving."""


@contextlib.contextmanager
def process(argv, log, **options):
    """A process that is ended with the block, whatever happens in it."""
    with open(log, "wb") as errors:
        child = subprocess.Popen(argv, stdin=subprocess.PIPE, stderr=errors, start_new_session=True, **options)
        try:
            yield child
        finally:
            with contextlib.suppress(OSError):
                child.stdin.close()
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(timeout=5)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait(timeout=5)


@contextlib.contextmanager
def script(arguments, log):
    """The URL that one of our scripts prints when it serves."""
    with process([suite.node(), *arguments], log, stdout=subprocess.PIPE) as child:
        url = child.stdout.readline().decode().strip()
        if not url:
            raise NotUp(f"{Path(arguments[0]).name} did not start: {log.read_text()[-500:]}")
        yield url


def fixture(folder, era="both"):
    """The URL of a fixture that speaks these eras."""
    return script([str(FIXTURE), "--http", "0", "--era", era], folder / f"fixture-{era}.log")


def renames(served, server, folder):
    """The URL of a proxy that calls this server's tools, prompts and resources through the meta-tools."""
    return script([str(suite.HERE / "renames.mjs"), served.base, server], folder / "renames.log")


def stdio_fixture(era="both"):
    """The fixture as a client's configuration starts it."""
    return {"command": suite.node(), "args": [str(FIXTURE), "--stdio", "--era", era]}


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait_for(port, child, log):
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        if child.poll() is not None:
            break
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise NotUp(f"toolcrib does not serve on port {port}: {log.read_text()[-1500:]}")


class Served:
    """A toolcrib that serves over HTTP."""

    def __init__(self, port, token):
        self.base = f"http://127.0.0.1:{port}"
        self.token = token

    def env(self, base=None):
        """What the suite's process needs to send the token to this address."""
        return {
            "CONFORMANCE_HOST": (base or self.base).removeprefix("http://"),
            "TOOLCRIB_HTTP_TOKEN": self.token,
            "NODE_OPTIONS": f"--import {(suite.HERE / 'authorize.mjs').as_uri()}",
        }

    @property
    def broker(self):
        return f"{self.base}/mcp"

    def passthrough(self, server):
        return f"{self.base}/servers/{server}/mcp"


@contextlib.contextmanager
def toolcrib(program, servers, folder):
    """toolcrib over HTTP in front of these servers, as any client's configuration names them."""
    folder.mkdir()
    config = folder / "mcp.json"
    config.write_text(json.dumps({"mcpServers": servers}, indent=2))
    options = ["--config", str(config), "--data-dir", str(folder / "data")]
    done = subprocess.run([program, "reindex", *options], capture_output=True, text=True, timeout=120)
    if done.returncode:
        raise NotUp(f"reindex ended with {done.returncode}: {(done.stdout + done.stderr).strip()[-1500:]}")
    port, token, log = free_port(), secrets.token_urlsafe(24), folder / "toolcrib.log"
    argv = [program, "serve", "--http", f"127.0.0.1:{port}", *options]
    env = {**os.environ, "TOOLCRIB_HTTP_TOKEN": token}
    with process(argv, log, stdout=subprocess.DEVNULL, env=env) as child:
        wait_for(port, child, log)
        yield Served(port, token)


@contextlib.contextmanager
def scratch(keep):
    """A folder for logs and results: a new one that goes again, or the one that was asked for."""
    if keep:
        keep.mkdir(parents=True, exist_ok=True)
        yield Path(tempfile.mkdtemp(prefix="run-", dir=keep))
        return
    with tempfile.TemporaryDirectory(prefix="toolcrib-conformance-") as folder:
        yield Path(folder)
