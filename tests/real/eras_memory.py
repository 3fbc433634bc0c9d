"""What toolcrib remembers of a server's era: learned once, kept, healed when it is wrong; and what a silent or dying
server costs. A shim around the server writes down how it was greeted.
"""

import concurrent.futures
import sys
import time

import eras_peers
import rpc
from eras_talk import need, same

# What a silent server may cost, and how much later than that an answer may come on a busy machine.
START_SECONDS = 6
SLACK_SECONDS = 4
# What a call of a good server may take while a bad one is waited for.
QUICK_SECONDS = 4.5
# After so much silence toolcrib doubts its memory, and sends the other greeting behind the first.
DOUBT_SECONDS = 2
# What a greeting that nobody answers may cost, with a start of a real server in it.
SILENCE_SECONDS = 10
GREETINGS = {"initialize", "server/discover"}
DISCOVER, INITIALIZE = "server/discover", "initialize"


class Watched:
    """A server whose greetings are written down, and which speaks the era that a file says."""

    def __init__(self, bench, era, program="python"):
        folder = bench.scratch()
        folder.mkdir()
        self.log = folder / "greetings"
        self.era_file = folder / "era"
        self.speak(era)
        command = {"python": [eras_peers.python(), str(eras_peers.HERE / "servers/bench.py")],
                   "typescript": [eras_peers.node(), str(eras_peers.FOLDER / "npm/bench.mjs")]}[program]
        shim = [str(eras_peers.HERE / "servers/shim.py"), str(self.log), *command, "--era-file", str(self.era_file)]
        self.spec = {"command": sys.executable, "args": shim}

    def speak(self, era, manners=""):
        """What it speaks from the next start, and whether it is `mute` to the other era's greeting."""
        self.era_file.write_text(f"{'modern' if era == rpc.MODERN else 'legacy'} {manners}")

    def greetings(self):
        """How it was greeted since the last time somebody asked."""
        lines = self.log.read_text().split() if self.log.exists() else []
        self.log.write_text("")
        return [line for line in lines if line in GREETINGS]


def call_of(server):
    """The parameters of a call that needs nothing."""
    return {"name": "call_tool", "arguments": {"tool": f"{server}/echo", "arguments": {}}}


def echo(crib, era, name="one"):
    """A client's whole life: start toolcrib, call, leave. Returns the seconds of the call, which has to succeed."""
    with crib.serve(era) as peer:
        peer.start(30)
        since = time.monotonic()
        result = peer.resolve("tools/call", call_of(name), 40)
        spent = time.monotonic() - since
    need(not result.get("isError"), f"the call failed: {str(result)[:300]}")
    return spent


def greeted_once(server, era, spent):
    """Checks that a server was greeted in its own era alone, or was so slow to start that its era was doubted."""
    own, other = (INITIALIZE, DISCOVER) if era == rpc.LEGACY else (DISCOVER, INITIALIZE)
    found = server.greetings()
    slow = found == [own, other] and spent > DOUBT_SECONDS
    need(found == [own] or slow, f"greetings: {found}, should be {[own]}; the call took {spent:.1f} s")


def kept(bench, era, program):
    """The era is found once; later starts greet in it at once."""
    server = Watched(bench, era, program)
    crib = eras_peers.Crib(bench.program, bench.scratch(), {"one": server.spec})
    crib.reindex()
    first = server.greetings()
    same(first, [INITIALIZE] if era == rpc.LEGACY else [INITIALIZE, DISCOVER], "greetings of the first time")
    for client in (rpc.LEGACY, rpc.MODERN):
        greeted_once(server, era, echo(crib, client))


def healed(bench, era):
    """A server that speaks another era than before: one more greeting, once."""
    other = rpc.LEGACY if era == rpc.MODERN else rpc.MODERN
    known, new = (DISCOVER, INITIALIZE) if era == rpc.MODERN else (INITIALIZE, DISCOVER)
    server = Watched(bench, era)
    crib = eras_peers.Crib(bench.program, bench.scratch(), {"one": server.spec})
    crib.reindex()
    server.greetings()
    server.speak(other)
    echo(crib, rpc.LEGACY)
    same(server.greetings(), [known, new], "greetings with a wrong memory")
    greeted_once(server, other, echo(crib, rpc.MODERN))


def in_silence(bench, era, before):
    """A server that lets the other era's greeting go unanswered, `before` known in that era or not at all. It may cost a
    few seconds, once; where `initialize` is what it does not answer, its start timeout, since slow starts look the same."""
    server = Watched(bench, before or era)
    spec = {**server.spec, "start_timeout": f"{2 * SILENCE_SECONDS}s"}
    crib = eras_peers.Crib(bench.program, bench.scratch(), {"one": spec})
    if before:
        crib.reindex()
    server.speak(era, "mute")
    server.greetings()
    since = time.monotonic()
    if not before:
        crib.reindex()
    echo(crib, rpc.LEGACY)
    spent = time.monotonic() - since
    most = SILENCE_SECONDS if era == rpc.LEGACY else 3 * SILENCE_SECONDS
    need(spent < most, f"cost {spent:.1f} s")
    server.greetings()
    greeted_once(server, era, echo(crib, rpc.LEGACY))


def healed_over_http(bench, era):
    """A wrong memory of a server behind an address."""
    other = rpc.LEGACY if era == rpc.MODERN else rpc.MODERN
    name = {rpc.LEGACY: "python-old-http", rpc.MODERN: "python-new-http"}
    servers = eras_peers.every_server()
    before, after = servers[name[era]], servers[name[other]]
    with eras_peers.serving([before]):
        crib = eras_peers.Crib(bench.program, bench.scratch(), {"one": before.spec()})
        crib.reindex()
        echo(crib, rpc.LEGACY)
    with eras_peers.serving([after], port=before.port):
        echo(crib, rpc.LEGACY)
        echo(crib, rpc.MODERN)


def harmless(bench, bad, words, remembered=None):
    """A bad server delays nothing else, costs its caller its start at most, and the error says what happened."""
    good = Watched(bench, rpc.MODERN)
    turncoat = Watched(bench, remembered or rpc.LEGACY)
    folder = bench.scratch()
    # Both are read while they are good; then the bad one takes the name of the other.
    crib = eras_peers.Crib(bench.program, folder, {"good": good.spec, "bad": turncoat.spec})
    crib.reindex()
    config = folder / "toolcrib.toml"
    text = config.read_text()
    old = eras_peers.toml(turncoat.spec["args"])
    need(old in text, "the configuration is not as expected")
    config.write_text(text.replace(f"{eras_peers.toml(sys.executable)}\nargs = {old}",
                                   f"{eras_peers.toml(bad[0])}\nargs = {eras_peers.toml(bad[1:])}\n"
                                   f"start_timeout = \"{START_SECONDS}s\""))
    with crib.serve(rpc.LEGACY) as peer:
        begun = time.monotonic()
        peer.start(10)
        need(time.monotonic() - begun < QUICK_SECONDS, "the start waited")
        asked = time.monotonic()
        waiting = peer.begin("tools/call", call_of("bad"))
        peer.request("tools/call", call_of("good"), 10)
        need(time.monotonic() - asked < QUICK_SECONDS, f"a good server took {time.monotonic() - asked:.1f} s")
        result = peer.finish(waiting, START_SECONDS + SLACK_SECONDS + 5, "the bad server's call")
        spent = time.monotonic() - asked
    need(spent < START_SECONDS + SLACK_SECONDS, f"the call took {spent:.1f} s, with {START_SECONDS} s for a start")
    need(result.get("isError"), f"not an error: {str(result)[:300]}")
    said = "".join(block.get("text", "") for block in result["content"])
    need(any(word in said for word in words) and "bad" in said, f"the error does not say so: {said[:300]}")
    return spent


SILENT = ["/bin/sleep", "1000"]
DYING = ["/bin/sh", "-c", "exit 3"]
SLOW_TO_DIE = ["/bin/sh", "-c", "sleep 1; exit 3"]

CHECKS = {
    ("kept", "python-old"): lambda bench: kept(bench, rpc.LEGACY, "python"),
    ("kept", "python-new"): lambda bench: kept(bench, rpc.MODERN, "python"),
    ("kept", "typescript-new"): lambda bench: kept(bench, rpc.MODERN, "typescript"),
    ("healed", "python-old"): lambda bench: healed(bench, rpc.LEGACY),
    ("healed", "python-new"): lambda bench: healed(bench, rpc.MODERN),
    ("healed over HTTP", "python-old"): lambda bench: healed_over_http(bench, rpc.LEGACY),
    ("healed over HTTP", "python-new"): lambda bench: healed_over_http(bench, rpc.MODERN),
    ("unknown in silence", "python-new"): lambda bench: in_silence(bench, rpc.MODERN, None),
    ("healed in silence", "python-new"): lambda bench: in_silence(bench, rpc.MODERN, rpc.LEGACY),
    ("healed in silence", "python-old"): lambda bench: in_silence(bench, rpc.LEGACY, rpc.MODERN),
    ("silent", "once-old"): lambda bench: harmless(bench, SILENT, ("answer", "ready", "start"), rpc.LEGACY),
    ("silent", "once-new"): lambda bench: harmless(bench, SILENT, ("answer", "ready", "start"), rpc.MODERN),
    ("dying", "once-old"): lambda bench: harmless(bench, DYING, ("ended", "exit", "closed"), rpc.LEGACY),
    ("dying", "once-new"): lambda bench: harmless(bench, DYING, ("ended", "exit", "closed"), rpc.MODERN),
    ("dying late", "once-new"): lambda bench: harmless(bench, SLOW_TO_DIE, ("ended", "exit", "closed"), rpc.MODERN),
}


def check(bench, trouble, told):
    """Every check."""
    def run(kind, server):
        if not bench.wants(kind):
            return
        problem = None
        since = time.monotonic()
        try:
            CHECKS[kind, server](bench)
        except trouble as cause:
            problem = told(cause)
        bench.report.note(kind, "both", "memory", server, problem)
        if bench.args.verbose:
            mark = "FAIL" if problem else "ok  "
            print(f"{mark} {kind} {server} {time.monotonic() - since:.1f} s {problem or ''}", flush=True)

    since = time.monotonic()
    # Those that take time wait for it; the others are at work and are two, as many as a small machine has hands.
    waiting = [key for key in CHECKS if key[0] in ("silent", "dying", "dying late")]
    for keys, together in (([key for key in CHECKS if key not in waiting], 2), (waiting, 3)):
        with concurrent.futures.ThreadPoolExecutor(together) as workers:
            for done in [workers.submit(run, *key) for key in keys]:
                done.result()
    print(f"memory: {time.monotonic() - since:.1f} s", flush=True)
