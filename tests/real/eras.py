#!/usr/bin/env python3
"""Clients and servers of both eras of the protocol, all of them real, with toolcrib in between: for every kind of traffic.

    python3 tests/real/eras.py --toolcrib target/release/toolcrib [--only a,b] [--kinds a,b] [--doors a,b] [--report FILE]

Servers: the reference server (stdio, Streamable HTTP, SSE), one of ours on the Python SDK and one on the TypeScript SDK, each
in the older and the newer era. Clients: one of ours that sees what is on the wire, in both eras, and the clients of both SDKs.
Each pair has every kind of traffic through the broker and through the passthrough endpoint, and the same directly where
client and server are of one era; what is seen has to be the same. After that: what toolcrib remembers of a server's era.

Installs the peers by pinned versions into the cache folder on the first run, then leaves the network. Prints a table and
what is behind each failure; exit code 1 when something failed that `eras_expected.py` does not list, or listed things work.
"""

import argparse
import concurrent.futures
import contextlib
import json
import sys
import tempfile
import threading
import time
from pathlib import Path

import common
import eras_alone
import eras_everything
import eras_expected
import eras_kinds
import eras_memory
import eras_peers
import eras_sdk
import rpc
from eras_talk import FULL, Person, Talk, Wrong

DOORS = ("direct", "broker", "passthrough", "http-broker", "http-passthrough")
ERAS = {"old": rpc.LEGACY, "new": rpc.MODERN}
CLIENTS = ("old", "new", *eras_sdk.CLIENTS.values(), "both", "any")
TROUBLE = (Wrong, rpc.NoAnswer, rpc.RpcError, OSError, KeyError, IndexError, TypeError, ValueError)


class Report:
    """The cells: `(kind, client, door, server)` and what came of each, `None` for good."""

    def __init__(self):
        self.cells = {}
        self.lock = threading.Lock()

    def note(self, kind, client, door, server, problem):
        with self.lock:
            self.cells[kind, client, door, server] = problem

    def failures(self):
        """What failed and is not listed, and what is listed and works."""
        found = []
        used = set()
        for cell, problem in self.cells.items():
            reason = eras_expected.reason(cell, used)
            if problem and not reason:
                found.append((cell, problem))
        for entry in eras_expected.stale(self.cells, used):
            found.append((entry, "is listed in eras_expected.py and works"))
        return found

    def table(self):
        """One table for each door: kinds down, servers across, and in each cell a sign for each client."""
        clients = sorted({client for _, client, _, _ in self.cells}, key=CLIENTS.index)
        print(f"\nOne sign for each client: {', '.join(clients)}.")
        print("+ works, x fails, - is listed as not supported, . does not apply")
        for door in (*DOORS, "memory"):
            mine = [cell for cell in self.cells if cell[2] == door]
            if not mine:
                continue
            kinds = list(dict.fromkeys(kind for kind, _, _, _ in mine))
            servers = sorted({server for _, _, _, server in mine})
            some = [client for client in clients if any(cell[1] == client for cell in mine)]
            print(f"\n{door} ({', '.join(some)})")
            for at, server in enumerate(servers):
                print(f"  {at + 1:2}  {server}")
            width = max(5, len(some) + 2)
            print(f"{'':20}" + "".join(f"{at + 1:>{width}}" for at in range(len(servers))))
            for kind in kinds:
                signs = ["".join(self.sign((kind, client, door, server)) for client in some) for server in servers]
                print(f"{kind:20}" + "".join(f"{each:>{width}}" for each in signs))

    def sign(self, cell):
        if cell not in self.cells:
            return "."
        if not self.cells[cell]:
            return "+"
        return "-" if eras_expected.reason(cell, set()) else "x"


def told(problem):
    """What went wrong, in a line."""
    return f"{type(problem).__name__}: {problem}".replace("\n", " ")[:600]


class Bench:
    """Everything that the checks share."""

    def __init__(self, args, folder):
        self.args = args
        self.folder = folder
        self.report = Report()
        self.servers = eras_peers.every_server()
        if args.only:
            self.servers = {name: self.servers[name] for name in args.only.split(",")}
        self.kinds = set(args.kinds.split(",")) if args.kinds else None
        self.program = args.toolcrib.resolve()
        self.crib = None
        self.seen = {}
        self.marks = 0
        self.lock = threading.Lock()

    def scratch(self):
        """A path at which there is nothing yet."""
        with self.lock:
            self.marks += 1
        return self.folder / f"mark-{self.marks}"

    def wants(self, kind):
        return not self.kinds or kind in self.kinds

    def open(self, server, door, era, **client):
        """A conversation through a door, greeted; `None` where there is none."""
        if door == "direct":
            dialogue = server.direct(era, **client) if era == server.era else None
        elif door == "broker":
            dialogue = self.crib.serve(era, **client)
        elif door == "passthrough":
            dialogue = self.crib.serve(era, "--passthrough", server.name, **client)
        else:
            path = "/mcp" if door == "http-broker" else f"/servers/{server.name}/mcp"
            dialogue = self.crib.visit(era, path, **client)
        if dialogue:
            try:
                dialogue.start(30)
            except TROUBLE:
                dialogue.close()
                raise
        return dialogue


def check_kind(bench, kind, client, talk):
    """One kind of traffic in one conversation."""
    name, server = kind.__name__, talk.server
    problem = None
    since = time.monotonic()
    try:
        seen = kind(talk)
        # Nothing is seen where this door is another by its nature.
        wanted = bench.seen.setdefault((server.name, name), seen) if seen is not None else None
        if seen != wanted:
            problem = f"differs from the direct conversation: {json.dumps(seen)[:300]}, there {json.dumps(wanted)[:300]}"
    except TROUBLE as trouble:
        problem = told(trouble)
    bench.report.note(name, client, talk.door, server.name, problem)
    if bench.args.verbose:
        print(f"{'FAIL' if problem else 'ok  '} {name} {client} {talk.door} {server.name} {time.monotonic() - since:.2f} s"
              f" {problem or ''}", flush=True)


def check_pair(bench, server, door, client, dialogue, person):
    """Every kind of traffic in one conversation."""
    kinds = eras_kinds if server.program == "bench" else eras_everything
    talk = Talk(dialogue, server, door, person, bench.scratch)
    for kind in kinds.KINDS:
        if bench.wants(kind.__name__) and kinds.applies(kind, talk):
            check_kind(bench, kind, client, talk)


def check_alone(bench, server, door, client):
    """The kinds that need a conversation of their own."""
    for kind, options in eras_alone.ALONE:
        if server.program != "bench" or not bench.wants(kind.__name__):
            continue
        person = Person(mute=options["capabilities"] != FULL)
        dialogue = None
        try:
            dialogue = bench.open(server, door, ERAS[client], answer=person, **options)
            talk = dialogue and Talk(dialogue, server, door, person, bench.scratch)
            if talk and eras_alone.applies(kind, talk):
                check_kind(bench, kind, client, talk)
        except TROUBLE as trouble:
            bench.report.note("start", client, door, server.name, told(trouble))
        finally:
            if dialogue:
                dialogue.close()


def check_door(bench, door, client):
    """All servers through one door, for clients of one era. The broker is one process for all of them."""
    shared = None
    try:
        for server in bench.servers.values():
            person = shared[1] if shared else Person()
            dialogue = shared and shared[0]
            try:
                dialogue = dialogue or bench.open(server, door, ERAS[client], capabilities=FULL, answer=person)
                if door.endswith("broker"):
                    shared = dialogue, person
                if dialogue:
                    check_pair(bench, server, door, client, dialogue, person)
            except TROUBLE as trouble:
                bench.report.note("start", client, door, server.name, told(trouble))
            finally:
                if dialogue and not shared:
                    dialogue.close()
    finally:
        if shared:
            shared[0].close()
    # Most of their time is spent in waiting for an end.
    with concurrent.futures.ThreadPoolExecutor(8) as workers:
        for server in bench.servers.values():
            workers.submit(check_alone, bench, server, door, client)


def check_doors(bench, doors):
    """All clients through these doors."""
    for door in doors:
        for client in ERAS:
            since = time.monotonic()
            check_door(bench, door, client)
            print(f"{door}, {client} client: {time.monotonic() - since:.1f} s", flush=True)


def check_all(bench):
    """The whole matrix."""
    wanted = bench.args.doors.split(",")
    if not set(wanted) - {"memory"}:
        return
    with eras_peers.serving(bench.servers.values()):
        bench.crib = eras_peers.Crib(bench.program, bench.folder / "crib",
                                     {name: server.spec() for name, server in bench.servers.items()})
        since = time.monotonic()
        bench.crib.reindex()
        print(f"reindex of {len(bench.servers)} servers: {time.monotonic() - since:.1f} s", flush=True)
        if not bench.args.only_sdk:
            check_doors(bench, [door for door in DOORS if door in wanted and not door.startswith("http-")])
            over_http = [door for door in DOORS if door in wanted and door.startswith("http-")]
            try:
                with bench.crib.listening() if over_http else contextlib.nullcontext():
                    check_doors(bench, over_http)
            except rpc.NoAnswer as trouble:
                bench.report.note("start", "any", over_http[0], "toolcrib", told(trouble))
        if "sdk" in wanted:
            eras_sdk.check(bench)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--toolcrib", type=Path, required=True, help="the program to check")
    parser.add_argument("--only", default="", help="comma-separated servers instead of all")
    parser.add_argument("--kinds", default="", help="comma-separated kinds of traffic instead of all")
    parser.add_argument("--doors", default=",".join([*DOORS, "sdk", "memory"]), help="comma-separated parts")
    parser.add_argument("--report", type=Path, help="also write every cell to this JSON file")
    parser.add_argument("--only-sdk", action="store_true", help="only the clients of the SDKs")
    parser.add_argument("--verbose", action="store_true", help="a line for each cell as it is done")
    args = parser.parse_args()
    since = time.monotonic()
    eras_peers.install_peers()
    if not common.loopback_only():
        print("no right to leave the network: servers can reach it", file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="toolcrib-eras-") as folder:
        bench = Bench(args, Path(folder))
        check_all(bench)
        if "memory" in args.doors.split(","):
            eras_memory.check(bench, TROUBLE, told)
    bench.report.table()
    failures = bench.report.failures()
    for cell, problem in failures:
        print(f"\nFAILED {', '.join(cell)}\n    {problem}")
    cells = bench.report.cells
    good = sum(not problem for problem in cells.values())
    if args.report:
        args.report.write_text(json.dumps([[*cell, problem] for cell, problem in cells.items()], indent=1) + "\n")
    print(f"\n{good} of {len(cells)} passed, {len(failures)} failed, {time.monotonic() - since:.0f} s")
    return 1 if failures or not good else 0


if __name__ == "__main__":
    sys.exit(main())
