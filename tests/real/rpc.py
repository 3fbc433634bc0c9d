"""A small MCP client over stdio, independent of every SDK, so that what it sees is what was on the wire.

Synchronous, one thread that reads; every wait has a deadline. Speaks the handshake era (2025-11-25) and the stateless
one (2026-07-28). Knows nothing of any server.
"""

import json
import os
import queue
import signal
import subprocess
import threading
import time
from pathlib import Path

LEGACY = "2025-11-25"
MODERN = "2026-07-28"
CLIENT = {"name": "toolcrib-check", "version": "1.0.0"}
STDERR_KEPT = 6000


class RpcError(Exception):
    """The peer answered with an error object, kept in `error`."""

    def __init__(self, error):
        super().__init__(json.dumps(error)[:600])
        self.error = error


class NoAnswer(Exception):
    """The peer ended or let a deadline pass."""


class Peer:
    """One server process and the conversation with it."""

    def __init__(self, command, args=(), env=None, cwd=None, era=LEGACY, grace=5.0):
        self.era = era
        self.grace = grace
        self.spawned = time.monotonic()
        self.process = subprocess.Popen(
            [command, *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, cwd=cwd,
            start_new_session=True,
        )
        self.next_id = 0
        self.answers = queue.Queue()
        self.early = {}
        self.noise = []
        self.errors = b""
        self.write_lock = threading.Lock()
        self.threads = [threading.Thread(target=work, daemon=True) for work in (self._read, self._drain)]
        for thread in self.threads:
            thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _read(self):
        for line in self.process.stdout:
            try:
                message = json.loads(line)
            except ValueError:
                self.noise.append(line.decode(errors="replace").strip()[:200])
                continue
            if "method" in message and "id" in message:
                self._answer(message)
            elif "id" in message:
                self.answers.put(message)
        self.answers.put(None)

    def _drain(self):
        while chunk := self.process.stderr.read1(65536):
            self.errors = (self.errors + chunk)[-STDERR_KEPT:]

    def _answer(self, request):
        reply = {"jsonrpc": "2.0", "id": request["id"]}
        if request["method"] == "ping":
            reply["result"] = {}
        elif request["method"] == "roots/list":
            reply["result"] = {"roots": []}
        else:
            reply["error"] = {"code": -32601, "message": "not supported by this client"}
        self._send(reply)

    def _send(self, message):
        line = json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n"
        try:
            with self.write_lock:
                self.process.stdin.write(line)
                self.process.stdin.flush()
        except (BrokenPipeError, ValueError) as cause:
            raise NoAnswer(f"the server closed its input; stderr: {self.stderr()}") from cause

    def stderr(self):
        """The last words of the server's error output."""
        return self.errors.decode(errors="replace").strip()[-1500:]

    def request(self, method, params=None, deadline=60.0):
        """Sends one request and returns its result."""
        self.next_id += 1
        mine = self.next_id
        params = dict(params or {})
        if self.era == MODERN:
            params["_meta"] = {
                "io.modelcontextprotocol/protocolVersion": MODERN,
                "io.modelcontextprotocol/clientCapabilities": {},
                "io.modelcontextprotocol/clientInfo": CLIENT,
                **params.get("_meta", {}),
            }
        self._send({"id": mine, "method": method, "params": params})
        end = time.monotonic() + deadline
        while mine not in self.early:
            try:
                message = self.answers.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                raise NoAnswer(f"{method}: nothing for {deadline:.0f} s; stderr: {self.stderr()}") from None
            if message is None:
                self.answers.put(None)
                time.sleep(0.05)  # lets the last words of a dying server arrive
                raise NoAnswer(f"{method}: the server ended; stderr: {self.stderr()}")
            self.early[message["id"]] = message
        message = self.early.pop(mine)
        if "error" in message:
            raise RpcError(message["error"])
        return message["result"]

    def notify(self, method, params=None):
        """Sends one notification."""
        self._send({"method": method, **({"params": params} if params else {})})

    def start(self, deadline=120.0):
        """Does what a client of this era does first, and returns the answer to it."""
        if self.era == MODERN:
            return self.request("server/discover", deadline=deadline)
        hello = {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": CLIENT}
        result = self.request("initialize", hello, deadline)
        self.notify("notifications/initialized")
        return result

    def tools(self, deadline=60.0):
        """The whole tool list."""
        found, cursor = [], None
        for _ in range(1000):
            page = self.request("tools/list", {"cursor": cursor} if cursor else {}, deadline)
            found += page["tools"]
            cursor = page.get("nextCursor")
            if not cursor:
                return found
        raise NoAnswer("tools/list: over a thousand pages")

    def call(self, tool, arguments, deadline=120.0):
        """The result of one tool call, or the error object under the key `error`."""
        try:
            return self.request("tools/call", {"name": tool, "arguments": arguments}, deadline)
        except RpcError as answer:
            return {"error": answer.error}

    def close(self):
        """Ends the conversation politely, and then the process group that this object started."""
        try:
            self.process.stdin.close()
        except OSError:
            pass
        try:
            self.process.wait(timeout=self.grace)
        except subprocess.TimeoutExpired:
            pass
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait(timeout=5)
        for thread in self.threads:
            thread.join(timeout=2)
        for pipe in (self.process.stdout, self.process.stderr):
            pipe.close()


def descendants(pid):
    """Every process below this one, as `{pid: command line}`."""
    below = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:
            continue
        below[int(entry.name)] = (int(fields[1]), words)
    found, edge = {}, {pid}
    while edge:
        edge = {child for child, (parent, _) in below.items() if parent in edge and child not in found}
        found.update({child: below[child][1] for child in edge})
    return found
