"""How the checks of `eras.py` talk: a person who answers questions, and one conversation with one server through one door.

A door is where a client finds a server: `direct` is the server itself, `broker` is toolcrib as it is meant to be used,
where names carry the server's, `passthrough` is toolcrib in front of this one server; `http-broker` and `http-passthrough`
are the same over HTTP instead of stdio. Knows no kind of traffic.
"""

import contextlib
import json
import time

import rpc

# What the client of these checks can be asked: everything there is.
FULL = {"elicitation": {"form": {}, "url": {}}, "sampling": {}, "roots": {}}
LEVEL = "io.modelcontextprotocol/logLevel"
CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"
SUBSCRIPTION = "io.modelcontextprotocol/subscriptionId"
SERVER_INFO = "io.modelcontextprotocol/serverInfo"

# What the servers of the newer era say of how long their lists and resources hold.
CACHING = {"ttlMs": 61000, "cacheScope": "public"}
ROOTS = {"roots": [{"uri": "file:///srv/kitchen", "name": "kitchen"}]}
SAMPLED = {"role": "assistant", "content": {"type": "text", "text": "malt"}, "model": "scripted", "stopReason": "endTurn"}


# The lists of the protocol: method, where the entries are, and what an entry is called by.
LISTS = (
    ("tools/list", "tools", "name"),
    ("prompts/list", "prompts", "name"),
    ("resources/list", "resources", "uri"),
    ("resources/templates/list", "resourceTemplates", "uriTemplate"),
)


class Wrong(Exception):
    """Something was not as it has to be; the words say what."""


def need(good, words):
    if not good:
        raise Wrong(words)


def same(found, wanted, what):
    need(found == wanted, f"{what}: {json.dumps(found)[:300]}, should be {json.dumps(wanted)[:300]}")


def until(ready, what, deadline=5.0):
    """Asks again and again until the answer is true."""
    end = time.monotonic() + deadline
    while not (found := ready()):
        need(time.monotonic() < end, f"{what}: not within {deadline:.0f} s")
        time.sleep(0.05)
    return found


class Person:
    """Answers what servers ask, and remembers what was asked."""

    def __init__(self, mute=False):
        self.mute = mute
        self.asked = []
        self.content = {"colour": "green"}
        self.action = "accept"

    def __call__(self, method, params):
        self.asked.append((method, params))
        if self.mute:
            raise rpc.RpcError({"code": -32601, "message": "not supported by this client"})
        if method == "roots/list":
            return ROOTS
        if method == "sampling/createMessage":
            return SAMPLED
        if method != "elicitation/create":
            raise rpc.RpcError({"code": -32601, "message": f"nobody knows {method}"})
        accepted_form = self.action == "accept" and params.get("mode", "form") == "form"
        return {"action": self.action, **({"content": self.content} if accepted_form else {})}

    @contextlib.contextmanager
    def says(self, action="accept", content=None):
        """Answers forms in this way for a while."""
        before = self.action, self.content
        self.action, self.content = action, content or self.content
        self.asked.clear()
        try:
            yield self.asked
        finally:
            self.action, self.content = before


class Talk:
    """A conversation with one server through one door."""

    def __init__(self, dialogue, server, door, person, scratch):
        self.dialogue = dialogue
        self.server = server
        self.door = door
        self.broker = door.endswith("broker")
        self.person = person
        self.scratch = scratch
        self.modern = dialogue.era == rpc.MODERN

    def prompt(self, name):
        """A prompt's name, as this door calls it."""
        return f"{self.server.name}/{name}" if self.broker else name

    def uri(self, uri):
        """A resource's address, as this door calls it."""
        return f"crib://{self.server.name}/{uri}" if self.broker else uri

    def params(self, tool, arguments=None, meta=None):
        """The parameters of a `tools/call`."""
        params = {"name": tool, "arguments": arguments or {}}
        if self.broker:
            inner = {"tool": f"{self.server.name}/{tool}", "arguments": arguments or {}}
            params = {"name": "call_tool", "arguments": inner}
        return {**params, **({"_meta": meta} if meta else {})}

    def call(self, tool, arguments=None, meta=None, deadline=30.0):
        """The result of a tool, its questions answered, in the shape of the client's era."""
        result = self.dialogue.resolve("tools/call", self.params(tool, arguments, meta), deadline)
        self.shape(result)
        return result

    def json(self, tool, arguments=None, meta=None):
        """The result of a tool that answers with JSON in its first text."""
        words = self.words(self.call(tool, arguments, meta))
        try:
            return json.loads(words)
        except ValueError:
            raise Wrong(f"{tool} answered {words[:300]!r}") from None

    def words(self, result):
        """All texts of a result."""
        return "".join(block.get("text", "") for block in result.get("content", []))

    def shape(self, result):
        """Checks what every result carries in one era, and none in the other."""
        wanted = "complete" if self.modern else None
        same(result.get("resultType"), wanted, "resultType")

    def cached(self, result):
        """Checks the word on caching that lists and reads carry in the newer era; returns it."""
        found = {key: result[key] for key in ("ttlMs", "cacheScope") if key in result}
        if not self.modern:
            # The era before has none; what a server says to it all the same is passed like every field that is not known.
            need(not found or (self.server.era == rpc.MODERN and found == CACHING), f"caching in the era before it: {found}")
        else:
            need(isinstance(found.get("ttlMs"), int) and found["ttlMs"] >= 0, f"ttlMs: {found}")
            need(found.get("cacheScope") in ("public", "private"), f"cacheScope: {found}")
        return found

    def mark(self):
        """Where the notifications stand now."""
        return len(self.dialogue.heard)

    def since(self, mark, method):
        """The notifications of a method after a mark."""
        return [each.get("params", {}) for each in self.dialogue.heard[mark:] if each.get("method") == method]

    def hear(self, mark, method, fits=lambda params: True, deadline=5.0):
        """Waits for a notification after a mark; returns its parameters."""
        def wanted(message):
            return message.get("method") == method and fits(message.get("params") or {})

        return self.dialogue.hear(wanted, mark, deadline, what=f"{self.door}: {method}").get("params") or {}

    @contextlib.contextmanager
    def watching(self, uris=(), **lists):
        """Wants to know of changes, in the way of the client's era; yields a function that waits for one."""
        if not self.modern:
            for uri in uris:
                self.dialogue.request("resources/subscribe", {"uri": uri})
            yield self.hear
            for uri in uris:
                self.dialogue.request("resources/unsubscribe", {"uri": uri})
            return
        wanted = {f"{name}ListChanged": True for name in lists}
        if uris:
            wanted["resourceSubscriptions"] = list(uris)
        mark = self.mark()
        mine = self.dialogue.begin("subscriptions/listen", {"notifications": wanted})

        def tagged(mark, method, fits=lambda params: True):
            def ours(params):
                return (params.get("_meta") or {}).get(SUBSCRIPTION) == mine and fits(params)

            return self.hear(mark, method, ours)

        def refused():
            reply = self.dialogue.replies.get(mine)
            return reply and reply.get("error")

        until(lambda: refused() or self.since(mark, "notifications/subscriptions/acknowledged"), "the acknowledgement")
        need(not refused(), f"subscriptions/listen: {refused()}")
        agreed = tagged(mark, "notifications/subscriptions/acknowledged")
        same(agreed.get("notifications"), wanted, "what was agreed to")
        yield tagged
        self.dialogue.cancel(mine)
