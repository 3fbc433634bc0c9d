#!/usr/bin/env python3
"""The official conformance suite against toolcrib, as a server and as a client.

    python3 tests/conformance/run.py --toolcrib target/release/toolcrib [--only passthrough,broker,client]

Installs the suite on the first run. What it checks is in README.md beside this file, what is known to fail in the
baseline files. Exit code 1 where a check fails that is not known to, and where one is known to that does not.
"""

import argparse
import concurrent.futures
import contextlib
import dataclasses
import functools
import itertools
import shlex
import signal
import sys
import time
from pathlib import Path

import baseline
import processes
import suite

PARTS = ("passthrough", "broker", "client")
WRAPPER = suite.HERE / "client.py"
# The fixture in every shape a backend can have: over HTTP or stdio, and the eras that it speaks.
BACKENDS = {f"{era}-{wire}": (era, wire) for era in ("both", "legacy", "modern") for wire in ("http", "stdio")}
# Where a client of the newest era stands before a handshake: over stdio toolcrib greets with one, and both take it.
BRIDGED = {("2026-07-28", backend) for backend in ("both-stdio", "legacy-http", "legacy-stdio")}
# The one server of the broker.
SERVER = "fixture"
JOBS = 2


class Report:
    """The rows of all runs, and what was wrong beside them."""

    def __init__(self):
        self.rows = []
        self.baselines = {}

    def baseline(self, name, leg):
        """One baseline file; read once, so that its entries count over all runs that share it."""
        if name not in self.baselines:
            self.baselines[name] = baseline.Baseline(suite.HERE / f"baseline-{name}.yml", leg)
        return self.baselines[name]

    def show(self):
        """Prints the table and the failures; returns whether all is well."""
        width = max((len(row.scenario) for row in self.rows), default=0)
        run = None
        for row in self.rows:
            if row.run != run:
                run = row.run
                print(f"\n{run}")
                direct = any(one.direct for one in self.rows if one.run == run)
                print(f"  {'scenario':{width}}  {'direct' if direct else '':>7}  {'passed':>7}")
            print(f"  {row.scenario:{width}}  {row.direct:>7}  {row.here:>7}  {row.outcome}")
        failed = [row for row in self.rows if row.problems]
        for row in failed:
            print(f"\nFAIL {row.run}: {row.scenario}")
            for problem in row.problems:
                print(f"     {problem[:600]}")
        stale = [f"{one.name}: {entry}" for one in self.baselines.values() for entry in one.stale()]
        for entry in stale:
            print(f"\nSTALE {entry} does not fail any more: take the entry out")
        passed = sum(row.outcome.startswith("ok") for row in self.rows)
        known = sum(row.outcome.startswith("known") for row in self.rows)
        print(f"\n{passed} passed, {known} known to fail, {len(failed)} failed, {len(stale)} stale entries")
        return not failed and not stale and bool(self.rows)


def checked(report, title, known, scenarios, again, direct=None):
    """Adds the rows of a run. What failed is run a second time: some checks have deadlines that a busy machine misses."""
    rows = baseline.judge(title, scenarios, known, direct)
    failed = [row.scenario for row in rows if row.problems]
    if failed:
        found = again(failed)
        there = {name: direct[name] for name in failed if name in direct} if direct is not None else None
        second = {row.scenario: row for row in baseline.judge(title, found, known, there)}
        scenarios |= found
        for at, row in enumerate(rows):
            if row.scenario in second:
                rows[at] = second[row.scenario]
                if not rows[at].problems:
                    rows[at].outcome += f", the second time; at first {'; '.join(row.problems)[:300]}"
    report.rows += rows


def as_set(report, title, known, url, revision, out, env=None, direct=None):
    """The server set of a revision against one endpoint."""
    found = suite.server(url, revision, out, env=env)
    again = functools.partial(suite.server, url, revision, out.with_name(f"{out.name}-again"), env=env)
    checked(report, title, known, found, again, direct)
    return found


def through_passthrough(served, found, folder, report):
    """The sets through the passthrough endpoints: nothing may be worse than directly."""
    for revision in suite.REVISIONS:
        for backend in BACKENDS:
            known = report.baseline("bridge" if (revision, backend) in BRIDGED else "passthrough", "server")
            title = f"passthrough, revision {revision}, backend {backend}"
            out = folder / f"passthrough-{backend}-{revision}"
            as_set(report, title, known, served.passthrough(backend), revision, out, served.env(), found[revision])


def through_broker(served, found, folder, report):
    """The broker's own endpoint: as it is, and with what the suite calls put as a client of the broker puts it."""
    for revision in suite.REVISIONS:
        known = report.baseline("broker", "server")
        out = folder / f"broker-{revision}"
        as_set(report, f"broker, revision {revision}", known, served.broker, revision, out, served.env())
    with processes.renames(served, SERVER, folder) as url:
        for revision in suite.REVISIONS:
            known = report.baseline("call-tool", "server")
            title = f"broker, through call_tool, revision {revision}"
            out = folder / f"call-tool-{revision}"
            as_set(report, title, known, f"{url}/mcp", revision, out, served.env(url), found[revision])


def as_server(args, folder, report):
    with contextlib.ExitStack() as running:
        urls = {era: running.enter_context(processes.fixture(folder, era)) for era in ("both", "legacy", "modern")}
        # What the fixture itself comes to is what all others are compared with, so it is always asked.
        found = {}
        for revision in suite.REVISIONS:
            known = report.baseline("fixture", "server")
            out = folder / f"fixture-{revision}"
            found[revision] = as_set(report, f"fixture, revision {revision}", known, urls["both"], revision, out)
        program = str(args.toolcrib)
        if "passthrough" in args.only:
            backends = {
                name: {"url": urls[era]} if wire == "http" else processes.stdio_fixture(era)
                for name, (era, wire) in BACKENDS.items()
            }
            with processes.toolcrib(program, backends, folder / "passthrough") as served:
                through_passthrough(served, found, folder, report)
        if "broker" in args.only:
            # One server alone: an address of a resource is taken without the server's name where only one has it.
            with processes.toolcrib(program, {SERVER: {"url": urls["both"]}}, folder / "broker") as served:
                through_broker(served, found, folder, report)


@dataclasses.dataclass
class ClientRun:
    """One client scenario with one kind of client."""

    mode: str
    era: str
    revision: str
    scenario: str
    program: str
    folder: Path

    @property
    def title(self):
        return f"client, {self.mode}, {self.era} in front, revision {self.revision}"

    def run(self, suffix=""):
        """What the scenario comes to, as a set of one."""
        command = [sys.executable, str(WRAPPER), "--toolcrib", self.program, "--mode", self.mode, "--era", self.era]
        out = self.folder / f"client-{self.mode}-{self.era}-{self.revision}-{self.scenario}{suffix}"
        return {self.scenario: suite.client(shlex.join(command), self.scenario, self.revision, out)}

    def again(self, _failed):
        return self.run("-again")


def as_client(args, folder, report):
    """The client scenarios, with clients of both eras before toolcrib, through the meta-tools and without them."""
    with concurrent.futures.ThreadPoolExecutor(JOBS) as workers:
        waiting = []
        for mode, era, revision in itertools.product(args.modes, ("legacy", "modern"), suite.REVISIONS):
            known = report.baseline(f"client-{mode}", "client")
            for scenario in suite.client_scenarios(revision):
                if not known.skips(scenario) and (not args.scenario or scenario in args.scenario):
                    one = ClientRun(mode, era, revision, scenario, str(args.toolcrib), folder)
                    waiting.append((one, known, workers.submit(one.run)))
        for one, known, done in waiting:
            checked(report, one.title, known, done.result(), one.again)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--toolcrib", type=Path, required=True, help="the program to check")
    parser.add_argument("--only", default=",".join(PARTS), help=f"comma-separated: {', '.join(PARTS)}")
    parser.add_argument("--modes", default="broker,passthrough", help="of the client scenarios")
    parser.add_argument("--scenario", action="append", help="only this client scenario")
    parser.add_argument("--keep", type=Path, help="keep logs and results below this folder")
    args = parser.parse_args()
    args.only = args.only.split(",")
    args.modes = args.modes.split(",")
    if unknown := [part for part in args.only if part not in PARTS]:
        parser.error(f"no such part: {', '.join(unknown)}")
    args.toolcrib = args.toolcrib.resolve()
    # Ends by unwinding, so that every process that was started is ended too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    suite.installed()
    since = time.monotonic()
    report = Report()
    with processes.scratch(args.keep) as folder:
        if args.keep:
            print(f"logs and results in {folder}")
        try:
            if set(args.only) - {"client"}:
                as_server(args, folder, report)
            if "client" in args.only:
                as_client(args, folder, report)
        except processes.NotUp as problem:
            print(f"FAIL {problem}", file=sys.stderr)
            return 1
    well = report.show()
    print(f"{time.monotonic() - since:.0f} s")
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
