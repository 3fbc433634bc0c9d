"""A small MCP client, independent of every SDK, so that what it sees is what was on the wire. This file: over stdio.

One thread reads; every wait has a deadline. Speaks the handshake era (2025-11-25) and the stateless one (2026-07-28):
answers what it is asked, in the middle of a call or by calling again with the answers, and keeps every notification.
Knows nothing of any server.
"""

import json
import os
import signal
import subprocess
import threading
import time
from pathlib import Path

LEGACY = "2025-11-25"
MODERN = "2026-07-28"
CLIENT = {"name": "toolcrib-check", "version": "1.0.0"}
STDERR_KEPT = 6000
MAX_ROUNDS = 10


class RpcError(Exception):
    """The peer answered with an error object, kept in `error`."""

    def __init__(self, error):
        super().__init__(json.dumps(error)[:600])
        self.error = error


class NoAnswer(Exception):
    """The peer ended or let a deadline pass."""


def refuse(method, _params):
    """Answers a question as a client that can nothing: it has no roots and supports nothing else."""
    if method == "roots/list":
        return {"roots": []}
    raise RpcError({"code": -32601, "message": "not supported by this client"})


class Dialogue:
    """A conversation with one server, whatever carries it. `capabilities` is what this client says it can be asked, and
    `answer(method, params)` answers it with a result, or an error by raising `RpcError`.

    Who derives from it calls `_take` with every message that arrives, `_over` when none will, and defines `_send`.
    """

    def __init__(self, era=LEGACY, capabilities=None, answer=refuse, version=LEGACY):
        self.era = era
        self.wanted_version = version
        self.greeting = None
        self.capabilities = capabilities or {}
        self.answer = answer
        self.next_id = 0
        self.news = threading.Condition()
        self.replies = {}
        self.heard = []
        self.ended = False

    def stderr(self):
        """The last words of the server's error output, where it has one."""
        return ""

    def _take(self, message):
        if "method" in message and "id" in message:
            # In a thread of its own: an answer may take its time, and the next message must not wait for it.
            threading.Thread(target=self._reply, args=(message,), daemon=True).start()
            return
        with self.news:
            if "id" in message:
                self.replies[message["id"]] = message
            else:
                self.heard.append(message)
            self.news.notify_all()

    def _over(self):
        with self.news:
            self.ended = True
            self.news.notify_all()

    def _reply(self, request):
        reply = {"id": request["id"]}
        try:
            asked = request["method"], request.get("params") or {}
            reply["result"] = {} if asked[0] == "ping" else self.answer(*asked)
        except RpcError as refusal:
            reply["error"] = refusal.error
        try:
            self._send(reply)
        except NoAnswer:
            pass  # who asked is gone

    def _wait(self, ready, deadline, what):
        end = time.monotonic() + deadline
        with self.news:
            while not ready():
                left = end - time.monotonic()
                if left <= 0:
                    raise NoAnswer(f"{what}: nothing for {deadline:.0f} s; stderr: {self.stderr()}")
                if self.ended:
                    self.news.wait(0.05)  # lets the last words of a dying server arrive
                    raise NoAnswer(f"{what}: the server ended; stderr: {self.stderr()}")
                self.news.wait(left)

    def begin(self, method, params=None):
        """Sends one request and returns its id."""
        self.next_id += 1
        params = dict(params or {})
        if self.era == MODERN:
            params["_meta"] = {
                "io.modelcontextprotocol/protocolVersion": MODERN,
                "io.modelcontextprotocol/clientCapabilities": self.capabilities,
                "io.modelcontextprotocol/clientInfo": CLIENT,
                **params.get("_meta", {}),
            }
        self._send({"id": self.next_id, "method": method, "params": params})
        return self.next_id

    def finish(self, request, deadline=60.0, what="a request"):
        """The result of a request that was begun."""
        self._wait(lambda: request in self.replies, deadline, what)
        message = self.replies.pop(request)
        if "error" in message:
            raise RpcError(message["error"])
        return message["result"]

    def request(self, method, params=None, deadline=60.0):
        """Sends one request and returns its result as it came."""
        return self.finish(self.begin(method, params), deadline, method)

    def resolve(self, method, params=None, deadline=60.0):
        """Sends one request and answers what its result wants to know, until there is one that wants nothing."""
        given = dict(params or {})
        for _ in range(MAX_ROUNDS):
            result = self.request(method, given, deadline)
            if result.get("resultType") != "input_required":
                return result
            asked = result.get("inputRequests") or {}
            answers = {key: self.answer(one["method"], one.get("params") or {}) for key, one in asked.items()}
            given = {**(params or {}), "inputResponses": answers}
            if "requestState" in result:
                given["requestState"] = result["requestState"]
        raise NoAnswer(f"{method}: asked for input {MAX_ROUNDS} times")

    def cancel(self, request):
        """Says that the answer to a request is not wanted any more."""
        self.notify("notifications/cancelled", {"requestId": request, "reason": "changed my mind"})

    def notify(self, method, params=None):
        """Sends one notification."""
        self._send({"method": method, **({"params": params} if params else {})})

    def hear(self, fits, since=0, deadline=5.0, what="a notification"):
        """The first notification after the first `since` of them that fits."""
        found = []

        def ready():
            found.extend(message for message in self.heard[since:] if fits(message))
            return found

        self._wait(ready, deadline, what)
        return found[0]

    def start(self, deadline=120.0):
        """Does what a client of this era does first, and returns the answer to it."""
        if self.era == MODERN:
            self.greeting = self.request("server/discover", deadline=deadline)
            return self.greeting
        hello = {"protocolVersion": self.wanted_version, "capabilities": self.capabilities, "clientInfo": CLIENT}
        self.greeting = self.request("initialize", hello, deadline)
        self._greeted()
        self.notify("notifications/initialized")
        return self.greeting

    def _greeted(self):
        """What has to be known of a handshake before the next message."""

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

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Peer(Dialogue):
    """One server process and the conversation with it."""

    def __init__(self, command, args=(), env=None, cwd=None, era=LEGACY, grace=5.0, **client):
        super().__init__(era, **client)
        self.grace = grace
        self.spawned = time.monotonic()
        self.process = subprocess.Popen(
            [command, *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, cwd=cwd,
            start_new_session=True,
        )
        self.noise = []
        self.errors = b""
        self.write_lock = threading.Lock()
        self.threads = [threading.Thread(target=work, daemon=True) for work in (self._read, self._drain)]
        for thread in self.threads:
            thread.start()

    def _read(self):
        for line in self.process.stdout:
            try:
                message = json.loads(line)
            except ValueError:
                self.noise.append(line.decode(errors="replace").strip()[:200])
                continue
            self._take(message)
        self._over()

    def _drain(self):
        while chunk := self.process.stderr.read1(65536):
            self.errors = (self.errors + chunk)[-STDERR_KEPT:]

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
