"""The real peers of `eras.py`: what is installed, the servers with their eras and transports, and how toolcrib is put
in front of them. Everything that is started here is ended here.
"""

import contextlib
import dataclasses
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import common
import install
import rpc
import rpc_http

HERE = Path(__file__).resolve().parent
FOLDER = common.CACHE / "eras"
NPM = ["@modelcontextprotocol/server-everything@2026.8.31", "@modelcontextprotocol/server@2.4.0",
       "@modelcontextprotocol/client@2.4.0"]
PYPI = ["mcp==2.3.0"]
EVERYTHING = FOLDER / "npm/node_modules/@modelcontextprotocol/server-everything/dist/index.js"
# What clients of toolcrib's own HTTP endpoint show; long enough to be taken for a real one.
TOKEN = "eras-0123456789abcdef0123456789abcdef"
# How long toolcrib may take to end when its client leaves in the middle of a call: its grace, and some.
END_SECONDS = 8
# How long a server may take until it listens, on a busy machine.
START_SECONDS = 60


def install_peers():
    """Installs what is missing or of another version, and copies our own programs beside the SDK that they import."""
    install.node()
    install.uv()
    for folder, packages, how in ((FOLDER / "npm", NPM, install.npm), (FOLDER / "python", PYPI, install.venv)):
        mark = folder / install.MARK
        if not mark.exists() or mark.read_text() != json.dumps(packages):
            since = time.monotonic()
            shutil.rmtree(folder, ignore_errors=True)
            how(folder, packages)
            mark.write_text(json.dumps(packages))
            print(f"installed {', '.join(packages)}: {time.monotonic() - since:.0f} s, {install.size_mb(folder)} MB")
    for script in (*HERE.glob("servers/*.mjs"), *HERE.glob("sdk_clients/*.mjs")):
        shutil.copy(script, FOLDER / "npm" / script.name)


def node():
    return str(common.node_dir() / "node")


def python():
    return str(FOLDER / "python/bin/python")


def free_port():
    """A port on which nobody listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclasses.dataclass
class Server:
    """One real server: the era it speaks, what carries it, and how it is started."""

    name: str
    era: str
    program: str
    transport: str
    command: list
    path: str = "/mcp"
    port: int = 0

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}{self.path}"

    def spec(self):
        """How toolcrib is told of it. Results are compared whole, so none is cut."""
        if self.transport == "stdio":
            found = {"command": self.command[0], "args": self.command[1:]}
        else:
            found = {"url": self.url}
        return {**found, "result_tokens": 0}

    def direct(self, era, **client):
        """A conversation with the server itself; `None` where nothing of ours speaks its transport."""
        if self.transport == "stdio":
            return rpc.Peer(self.command[0], self.command[1:], era=era, env=environment(), **client)
        return rpc_http.HttpPeer(self.url, era=era, **client) if self.transport == "http" else None


def environment(**more):
    """What the processes of these checks inherit."""
    inherited = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
    return {**inherited, "LANG": "C.UTF-8", "NODE_NO_WARNINGS": "1", **more}


def every_server():
    """The servers of the matrix."""
    loopback = f"--import={(FOLDER / 'npm/loopback.mjs').as_uri()}"
    everything = [node(), loopback, str(EVERYTHING)]
    own = {"python": [python(), str(HERE / "servers/bench.py")], "typescript": [node(), str(FOLDER / "npm/bench.mjs")]}
    found = [
        Server("everything", rpc.LEGACY, "everything", "stdio", [*everything, "stdio"]),
        Server("everything-http", rpc.LEGACY, "everything", "http", [*everything, "streamableHttp"]),
        Server("everything-sse", rpc.LEGACY, "everything", "sse", [*everything, "sse"], "/sse"),
        Server("python-old", rpc.LEGACY, "bench", "stdio", [*own["python"], "--era", "legacy"]),
        Server("python-old-http", rpc.LEGACY, "bench", "http", [*own["python"], "--era", "legacy"]),
        Server("typescript-old", rpc.LEGACY, "bench", "stdio", [*own["typescript"], "--era", "legacy"]),
        Server("python-new", rpc.MODERN, "bench", "stdio", [*own["python"], "--era", "modern"]),
        Server("python-new-http", rpc.MODERN, "bench", "http", [*own["python"], "--era", "modern"]),
        Server("typescript-new", rpc.MODERN, "bench", "stdio", [*own["typescript"], "--era", "modern"]),
        Server("typescript-new-http", rpc.MODERN, "bench", "http", [*own["typescript"], "--era", "modern"]),
    ]
    return {server.name: server for server in found}


@contextlib.contextmanager
def serving(servers, port=None):
    """Runs the servers that are reached by an address, each on a port of its own, or the only one on this port."""
    children = []
    try:
        for server in servers:
            if server.transport == "stdio":
                continue
            server.port = port or free_port()
            command = server.command
            if server.program == "bench":
                command = [*command, "--port", str(server.port)]
            quiet = subprocess.DEVNULL
            env = environment(PORT=str(server.port))
            children.append(subprocess.Popen(command, env=env, stdin=quiet, stdout=quiet, stderr=quiet))
        for server in servers:
            if server.transport != "stdio":
                until_listening(server)
        yield
    finally:
        for child in children:
            child.kill()
            child.wait()


def until_listening(server):
    """Waits for somebody to listen; any answer will do, an event stream's first byte too."""
    end = time.monotonic() + START_SECONDS
    while not answers(server.url):
        if time.monotonic() > end:
            common.die(f"{server.name} does not listen on {server.url}")
        time.sleep(0.05)


def answers(url):
    """Whether somebody answers there, with whatever."""
    try:
        urllib.request.urlopen(url, timeout=5).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def toml(value):
    """A value as TOML; JSON is TOML for texts, numbers, truth and lists of them."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {toml(each)}" for key, each in value.items()) + " }"
    return json.dumps(value)


class Crib:
    """toolcrib in front of some servers: its configuration, its data, and every process of it that is running."""

    def __init__(self, program, folder, specs, settings=None):
        folder.mkdir(parents=True)
        lines = []
        for table, values in {"pool": {"max_sessions": 64}, "refresh": {"concurrency": 2}, **(settings or {})}.items():
            lines += [f"[{table}]", *(f"{key} = {toml(value)}" for key, value in values.items())]
        for name, spec in specs.items():
            lines += [f"[servers.{name}]", *(f"{key} = {toml(value)}" for key, value in spec.items())]
        config = folder / "toolcrib.toml"
        config.write_text("\n".join(lines) + "\n")
        self.argv = [str(program), "--config", str(config), "--data-dir", str(folder / "data")]

    def run(self, *words, deadline=240):
        """One command; returns what it printed, in both streams."""
        done = subprocess.run([*self.argv, *words], capture_output=True, text=True, timeout=deadline, env=environment())
        return done.returncode, done.stdout + done.stderr

    def reindex(self):
        """Reads every server into the catalog; all of them have to be there."""
        code, words = self.run("reindex")
        if code or "missing:" in words:
            raise rpc.NoAnswer(f"reindex ended with {code}: {words.strip()[-1500:]}")
        return words

    def serve(self, era, *options, **client):
        """A client's own toolcrib, over stdio."""
        argv = [*self.argv, "serve", "--no-refresh", *options]
        return rpc.Peer(argv[0], argv[1:], era=era, env=environment(), grace=END_SECONDS, **client)

    @contextlib.contextmanager
    def listening(self):
        """One toolcrib that serves over HTTP while this lasts; `visit` is a client of it."""
        self.port = free_port()
        argv = [*self.argv, "serve", "--no-refresh", "--http", f"127.0.0.1:{self.port}"]
        quiet = subprocess.DEVNULL
        # Its input stays open: who serves over stdio as well would take its end for the client's leave.
        child = subprocess.Popen(argv, env=environment(TOOLCRIB_HTTP_TOKEN=TOKEN), stdin=subprocess.PIPE, stdout=quiet,
                                 stderr=subprocess.PIPE)
        try:
            end = time.monotonic() + START_SECONDS
            while not answers(f"http://127.0.0.1:{self.port}/mcp"):
                if child.poll() is not None:
                    raise rpc.NoAnswer(f"ended with {child.returncode}: {child.stderr.read().decode()[-300:]}")
                if time.monotonic() > end:
                    raise rpc.NoAnswer(f"nobody listens on port {self.port}")
                time.sleep(0.05)
            # What it says from here on would fill the pipe.
            threading.Thread(target=child.stderr.read, daemon=True).start()
            yield
        finally:
            # Asked first, so that it can end its servers.
            child.terminate()
            try:
                child.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()

    def visit(self, era, path, **client):
        """A client of the toolcrib that is listening."""
        return rpc_http.HttpPeer(f"http://127.0.0.1:{self.port}{path}", era=era, token=TOKEN, **client)


def end_group(process):
    """Ends a process and whatever it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
