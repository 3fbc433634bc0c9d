#!/usr/bin/env python3
"""Real servers behind one `toolcrib serve`: the same results as directly, nothing started early, nobody slowed down.

    python3 tests/real/install.py
    python3 tests/real/check.py --toolcrib target/release/toolcrib [--only a,b] [--report FILE]
    python3 tests/real/check.py --direct                # no toolcrib: do the servers themselves work here?

Every recorded call of the catalog runs twice directly (to learn what a server does not repeat) and once through
toolcrib, each time in a fresh scratch folder at the same path, without any network but loopback.
"""

import argparse
import functools
import http.server
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import common
import compare
import rpc

# Large enough that no result is cut: cutting is checked elsewhere, here whole results are compared.
WHOLE_RESULTS = {"result_tokens": 2_000_000}
ROUNDS = 5
WARM_CALLS = 20
# Longest time toolcrib may take to end its backends when its client leaves: their grace periods, and some.
END_SECONDS = 20
# How much later anything may be with two bad servers configured: the noise of a busy machine, no more.
SLACK_MS = 50


class QuietPages(http.server.SimpleHTTPRequestHandler):
    """The fixtures as web pages, without a line per request."""

    def log_message(self, *_):
        pass


def serve_fixtures():
    """Serves the fixtures on loopback for as long as this process lives."""
    handler = functools.partial(QuietPages, directory=str(common.FIXTURES))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", common.FIXTURE_PORT), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def milliseconds(since):
    return (time.monotonic() - since) * 1000


def run_direct(server, entry):
    """One session with a server itself: its tools and `[(result, ms)]` of its recorded calls."""
    common.prepare(server, entry)
    spec = common.launch(server, entry.get("extra_args", []))
    with rpc.Peer(**spec) as peer:
        peer.start()
        tools = {tool["name"]: tool for tool in peer.tools()}
        results = []
        for call in entry["calls"]:
            since = time.monotonic()
            result = peer.call(call["tool"], common.fill(call["arguments"], server))
            results.append((result, milliseconds(since)))
    return tools, results


def run_brokered(peer, server, entry):
    """The same calls through toolcrib."""
    results = []
    for call in entry["calls"]:
        name = f"{server['slug']}/{call['tool']}"
        since = time.monotonic()
        arguments = common.fill(call["arguments"], server)
        result = peer.call("call_tool", {"tool": name, "arguments": arguments})
        results.append((result, milliseconds(since)))
    return results


def is_error(result):
    return "error" in result or bool(result.get("isError"))


def judge(tools, entry, first, second, brokered):
    """One verdict per call: `same`, `taught` (a wrong call that toolcrib answered itself) or `different`.

    `unrepeated` names the leaves that two direct runs did not agree on, and whether their shape was compared.
    """
    verdicts = []
    for call, (one, ms), (two, _), (ours, our_ms) in zip(entry["calls"], first, second, brokered, strict=True):
        found = compare.compare(one, two, ours)
        verdict = "same" if not found else "different"
        wrong_call = compare.breaks_contract(tools.get(call["tool"]), call["arguments"])
        if found and wrong_call and is_error(one) and is_error(ours):
            verdict = "taught"
        # A JSON-RPC error of a server reaches the model as an error result with the same words.
        if found and "error" in one and is_error(ours) and one["error"].get("message", "?") in json.dumps(ours):
            verdict = "same"
        verdicts.append({
            "tool": call["tool"],
            "verdict": verdict,
            "differences": found if verdict == "different" else [],
            "unrepeated": compare.volatile_paths(compare.canonical(one), compare.canonical(two)),
            "direct_ms": round(ms),
            "toolcrib_ms": round(our_ms),
        })
    return verdicts


def unlike_recorded(entry, results):
    """Calls that fail here and worked when they were recorded, or the other way round."""
    return [f"{entry['slug']}/{call['tool']} was recorded otherwise: {compare.short(result)}"
            for call, (result, _) in zip(entry["calls"], results, strict=True)
            if is_error(result) != (bool(call.get("is_error")) or "error" in call)]


class Broker:
    """How toolcrib is run: its program, a configuration file and a data folder."""

    def __init__(self, program, config, data):
        self.argv = [str(program), "--config", str(config), "--data-dir", str(data)]

    def reindex(self):
        """Fills the registry; returns the seconds it took and what it said."""
        since = time.monotonic()
        done = subprocess.run([*self.argv, "reindex"], capture_output=True, text=True, timeout=900)
        words = (done.stdout + done.stderr).strip()
        if done.returncode:
            raise RuntimeError(f"reindex ended with {done.returncode}: {words[-2000:]}")
        return time.monotonic() - since, words

    def serve(self, era=rpc.LEGACY):
        return rpc.Peer(self.argv[0], [*self.argv[1:], "serve"], era=era, grace=END_SECONDS)


def check_laziness(peer):
    """Starts, lists, searches and describes; returns the backend processes that appeared, which must be none."""
    peer.start()
    names = [tool["name"] for tool in peer.tools()]
    found = peer.call("search_tools", {"query": "read a text file"})
    peer.call("describe_tool", {"tools": ["everything/echo"]})
    time.sleep(1)  # long enough for a start that should not happen to show
    early = rpc.descendants(peer.process.pid)
    return names, found, early


def timings(broker):
    """Milliseconds of what a client waits for, in one fresh serve."""
    with broker.serve() as peer:
        peer.start()
        times = {"start": milliseconds(peer.spawned)}
        since = time.monotonic()
        peer.tools()
        times["tools/list"] = milliseconds(since)
        since = time.monotonic()
        peer.call("search_tools", {"query": "read a text file"})
        times["search"] = milliseconds(since)
        echo = {"tool": "everything/echo", "arguments": {"message": "hi"}}
        since = time.monotonic()
        first = peer.call("call_tool", echo)
        times["first call"] = milliseconds(since)
        if is_error(first):
            raise RuntimeError(f"everything/echo failed: {compare.short(first)}")
        warm = []
        for _ in range(WARM_CALLS):
            since = time.monotonic()
            peer.call("call_tool", echo)
            warm.append(milliseconds(since))
        times["warm call"] = statistics.median(warm)
    return times


def bad_servers(program, servers, scratch):
    """Times a start, a search and calls with and without a missing and a silent server; returns what got slower."""
    bad = {
        "missing": {"command": str(scratch / "no-such-program"), "args": []},
        "silent": {"command": "/bin/sleep", "args": ["1000"]},
    }
    data = {}
    for label, extra in (("good", {}), ("bad", bad)):
        config = scratch / f"{label}.toml"
        config.write_text(common.toml_text({**servers, **extra}, WHOLE_RESULTS))
        data[label] = (config, scratch / f"data-{label}")
    Broker(program, *data["good"]).reindex()
    shutil.copytree(data["good"][1], data["bad"][1])
    measured = {"good": [], "bad": []}
    for _ in range(ROUNDS):
        for label in measured:
            measured[label].append(timings(Broker(program, *data[label])))
    slower = []
    print(f"\n{'two bad servers (median ms)':30} {'without':>9} {'with':>9}")
    for what in measured["good"][0]:
        without, with_bad = (statistics.median(run[what] for run in measured[label]) for label in ("good", "bad"))
        print(f"{what:30} {without:9.1f} {with_bad:9.1f}")
        if with_bad > 1.5 * without + SLACK_MS:
            slower.append(f"{what} takes {with_bad:.0f} ms with two bad servers, {without:.0f} ms without")
    return slower


def report(slug, verdicts, direct_only):
    """Prints a server's line and each difference."""
    count = {kind: sum(v["verdict"] == kind for v in verdicts) for kind in ("same", "taught", "different")}
    ms = sum(v["direct_ms"] for v in verdicts), sum(v["toolcrib_ms"] for v in verdicts)
    through = "" if direct_only else f"{ms[1]:9}"
    print(f"{slug:22} {len(verdicts):5} {count['same']:5} {count['taught']:6} {count['different']:9} {ms[0]:9}{through}",
          flush=True)
    for verdict in verdicts:
        for line in verdict["differences"][:8]:
            print(f"    {verdict['tool']} {line}")
    return count["different"]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--toolcrib", type=Path, help="the program to check")
    parser.add_argument("--direct", action="store_true", help="only run the servers themselves")
    parser.add_argument("--only", default="", help="comma-separated servers instead of all installed")
    parser.add_argument("--report", type=Path, help="also write every verdict to this JSON file")
    parser.add_argument("--network", action="store_true", help="leave the network as it is")
    args = parser.parse_args()
    if not args.direct and not args.toolcrib:
        parser.error("name the program with --toolcrib, or say --direct")
    return args


def main():
    args = arguments()
    if not args.network and not common.loopback_only():
        print("no right to leave the network: servers can reach it", file=sys.stderr)
    known, calls = common.manifest(), common.recorded_calls()
    slugs = common.installed(common.pick(args.only), known)
    if not slugs:
        common.die("no server is installed: run tests/real/install.py first")
    common.make_fixtures()
    serve_fixtures()
    problems, verdicts = [], {}

    direct = {}
    for slug in slugs:
        try:
            direct[slug] = [run_direct(known[slug], calls[slug]) for _ in range(2)]
        except (RuntimeError, OSError, rpc.NoAnswer, rpc.RpcError) as problem:
            problems.append(f"{slug} does not work here even directly: {problem}")
    print(f"{'server':22} calls  same taught different direct ms" + ("" if args.direct else "  toolcrib ms"))
    if args.direct:
        for slug, ((tools, first), (_, second)) in direct.items():
            verdicts[slug] = judge(tools, calls[slug], first, second, second)
            problems += unlike_recorded(calls[slug], first)
            report(slug, verdicts[slug], args.direct)
    else:
        with tempfile.TemporaryDirectory(prefix="toolcrib-check-") as folder:
            problems += through_toolcrib(args, Path(folder), known, calls, direct, verdicts)
    if args.report:
        args.report.write_text(json.dumps({"problems": problems, "servers": verdicts}, indent=1) + "\n")
    good = sum(v["verdict"] != "different" for each in verdicts.values() for v in each)
    print(f"\n{len(verdicts)} servers")
    for problem in problems:
        print(f"FAILED: {problem}")
    print(f"{good} passed, {len(problems)} failed")
    return 1 if problems else 0


def through_toolcrib(args, scratch, known, calls, direct, verdicts):
    """Everything that needs toolcrib; returns what was wrong."""
    program = args.toolcrib.resolve()
    problems = []
    servers = {slug: common.launch(known[slug], calls[slug].get("extra_args", [])) for slug in direct}
    config = scratch / "toolcrib.toml"
    config.write_text(common.toml_text(servers, WHOLE_RESULTS))
    broker = Broker(program, config, scratch / "data")
    for slug in direct:
        common.prepare(known[slug], calls[slug])
    seconds, words = broker.reindex()
    print(f"reindex of {len(direct)} servers: {seconds:.1f} s")
    for slug in direct:
        common.prepare(known[slug], calls[slug])
    with broker.serve() as peer:
        names, found, early = check_laziness(peer)
        if names != ["search_tools", "describe_tool", "call_tool"]:
            problems.append(f"advertised tools are {names}")
        if is_error(found):
            problems.append(f"search failed: {compare.short(found)}")
        if early:
            problems.append(f"processes before the first call: {sorted(early.values())}")
        for slug, ((tools, first), (_, second)) in direct.items():
            ours = run_brokered(peer, known[slug], calls[slug])
            verdicts[slug] = judge(tools, calls[slug], first, second, ours)
            if different := report(slug, verdicts[slug], False):
                problems.append(f"{slug}: {different} of {len(verdicts[slug])} calls differ")
        left = rpc.descendants(peer.process.pid)
        print(f"processes below toolcrib: 0 before the first call, {len(left)} after the last" if not early else "")
    survivors = {pid: words for pid, words in left.items() if Path(f"/proc/{pid}").exists()}
    for pid in survivors:
        os.kill(pid, signal.SIGKILL)
    if survivors:
        problems.append(f"left running after the end: {sorted(survivors.values())}")
    if "everything" in servers:
        problems += bad_servers(program, servers, scratch)
    return problems


if __name__ == "__main__":
    sys.exit(main())
