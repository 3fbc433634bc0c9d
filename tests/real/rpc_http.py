"""The small MCP client of `rpc.py` over Streamable HTTP, in both eras, independent of every SDK.

One connection and one thread for each request, as browsers do it; every wait has a deadline. A legacy session keeps a
stream open for what belongs to no request. In the modern era the end of a response's stream is its cancellation.
"""

import http.client
import json
import socket
import threading
from urllib.parse import urlsplit

import rpc

CONNECT_SECONDS = 30
# Longest a stream may stay without a byte: past every deadline of the checks.
SILENCE_SECONDS = 300


class HttpPeer(rpc.Dialogue):
    """One conversation with the server at an address. `token` goes into the header `Authorization`."""

    def __init__(self, url, era=rpc.LEGACY, token=None, **client):
        super().__init__(era, **client)
        self.parts = urlsplit(url)
        self.token = token
        self.session = None
        self.version = None
        self.open = {}
        self.closing = False
        self.statuses = []

    def _headers(self, message):
        headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if self.session:
            headers["Mcp-Session-Id"] = self.session
        if self.version:
            headers["MCP-Protocol-Version"] = self.version
        if self.era == rpc.MODERN:
            headers["MCP-Protocol-Version"] = rpc.MODERN
            if "method" in message:
                headers["Mcp-Method"] = message["method"]
            params = message.get("params") or {}
            if name := params.get("name") or params.get("uri"):
                headers["Mcp-Name"] = name
        return headers

    def _connect(self):
        return http.client.HTTPConnection(self.parts.hostname, self.parts.port, timeout=CONNECT_SECONDS)

    def _send(self, message):
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        arguments = (message, body)
        if "method" in message and "id" in message:
            # Its answer takes as long as it takes.
            threading.Thread(target=self._exchange, args=arguments, daemon=True).start()
        else:
            self._exchange(*arguments)

    def _exchange(self, message, body):
        """Posts a message and takes whatever comes back for it."""
        mine = message.get("id")
        connection = self._connect()
        try:
            connection.request("POST", self.parts.path, body=body, headers=self._headers(message))
            if "method" in message and mine is not None:
                self.open[mine] = connection
            connection.sock.settimeout(SILENCE_SECONDS)
            response = connection.getresponse()
            if session := response.getheader("Mcp-Session-Id"):
                self.session = session
            self._receive(response, mine)
        except (OSError, http.client.HTTPException, ValueError) as cause:
            if not self.closing and mine in self.open:
                self._fail(mine, f"{type(cause).__name__}: {cause}")
        finally:
            self.open.pop(mine, None)
            connection.close()

    def _receive(self, response, mine):
        kind = (response.getheader("Content-Type") or "").split(";")[0]
        self.statuses.append(response.status)
        if kind == "text/event-stream":
            self._events(response)
            return
        text = response.read()
        if kind == "application/json" and text:
            message = json.loads(text)
            # Who refuses a request before it is parsed answers with no id.
            self._take({**message, "id": message.get("id") or mine} if "method" not in message else message)
        elif response.status >= 400:
            self._fail(mine, f"HTTP {response.status}: {text[:200]!r}")

    def _events(self, response):
        data = []
        while line := response.readline():
            line = line.rstrip(b"\r\n")
            if line.startswith(b"data:"):
                data.append(line[5:].removeprefix(b" "))
            elif not line and data:
                if text := b"\n".join(data).strip():
                    self._take(json.loads(text))
                data = []

    def _fail(self, mine, words):
        if mine is not None:
            self._take({"id": mine, "error": {"code": 0, "message": f"the transport failed: {words}"}})

    def _listen(self):
        """Reads what belongs to no request; a server may have nothing of the kind."""
        connection = self._connect()
        try:
            headers = {**self._headers({}), "Accept": "text/event-stream"}
            connection.request("GET", self.parts.path, headers=headers)
            self.open["stream"] = connection
            connection.sock.settimeout(SILENCE_SECONDS)
            response = connection.getresponse()
            self.listening.set()
            if response.status == 200:
                self._events(response)
        except (OSError, http.client.HTTPException, ValueError):
            pass  # the end of the conversation looks like this
        finally:
            self.listening.set()
            connection.close()

    def start(self, deadline=120.0):
        """Does what a client of this era does first, and returns the answer to it."""
        result = super().start(deadline)
        if self.era == rpc.LEGACY:
            self.listening = threading.Event()
            if self.session:
                threading.Thread(target=self._listen, daemon=True).start()
                self.listening.wait(deadline)
        return result

    def _greeted(self):
        self.version = self.greeting["protocolVersion"]

    def cancel(self, request):
        """Says that the answer to a request is not wanted any more."""
        if self.era == rpc.LEGACY:
            super().cancel(request)
        elif connection := self.open.pop(request, None):
            self._hang_up(connection)

    def _hang_up(self, connection):
        try:
            connection.sock.shutdown(socket.SHUT_RDWR)
        except (OSError, AttributeError):
            pass  # it is over already

    def close(self):
        """Ends the session, where there is one, and every connection."""
        self.closing = True
        if self.session:
            connection = self._connect()
            try:
                connection.request("DELETE", self.parts.path, headers=self._headers({}))
                connection.getresponse().read()
            except (OSError, http.client.HTTPException):
                pass  # the server is gone, and the session with it
            finally:
                connection.close()
        for connection in list(self.open.values()):
            self._hang_up(connection)
        self._over()
