#!/usr/bin/env python3
"""Lets toolcrib know every captured server without running one, and measures its start and its price with them.

    python3 tests/real/seed.py --toolcrib target/release/toolcrib [--runs 20] [--keep FOLDER]

Two catalogs: all captured servers, and the twenty of a plausible power user. For each, `toolcrib reindex` reads
replayed servers into a fresh registry; then the time from spawning `toolcrib serve` to its answers is taken in both
protocol eras, and the tokens of what a model sees of it are counted. Fails where a bound does not hold.

`--keep FOLDER` leaves the configurations (`seed-20.toml`, `seed-149.toml`) and data folders there for other use.
"""

import argparse
import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import common
import rpc

POWER_USER = (
    "filesystem", "git", "github", "slack", "notion", "atlassian", "linear", "sentry", "grafana", "postgres",
    "playwright", "chrome-devtools", "google-workspace", "todoist", "kubernetes", "brave-search", "context7", "memory",
    "time", "fetch",
)
# Bounds of the design: tokens of tools and instructions together, and milliseconds from spawn to the first answer.
TOKENS_OF_20 = 500
TOKENS_OF_ALL = 900
START_MS = 50


def write_config(path, slugs):
    """A configuration in which each of these servers is a replay of its capture."""
    replay = str(Path(__file__).resolve().parent / "replay_server.py")
    servers = {}
    for slug in slugs:
        capture = common.CATALOG / "servers" / f"{slug}.json"
        # Isolated and without `site`: half the start-up time of an interpreter, and nothing of it is needed.
        servers[slug] = {"command": sys.executable, "args": ["-I", "-S", replay, str(capture)]}
    path.write_text(common.toml_text(servers, {}))


def reindex(argv):
    """Fills the registry; the seconds it took."""
    since = time.monotonic()
    done = subprocess.run([*argv, "reindex"], capture_output=True, text=True, timeout=1200)
    if done.returncode:
        raise RuntimeError(f"reindex ended with {done.returncode}: {(done.stdout + done.stderr).strip()[-2000:]}")
    return time.monotonic() - since


def one_start(argv, era):
    """Milliseconds from spawn to the first answer and to the tool list, and what both said."""
    with rpc.Peer(argv[0], [*argv[1:], "serve"], era=era) as peer:
        hello = peer.start()
        first = (time.monotonic() - peer.spawned) * 1000
        tools = peer.tools()
        listed = (time.monotonic() - peer.spawned) * 1000
        started = rpc.descendants(peer.process.pid)
    return first, listed, hello.get("instructions", ""), tools, started


def known_servers(argv, slugs):
    """How many of these servers toolcrib can find by browsing each."""
    with rpc.Peer(argv[0], [*argv[1:], "serve"]) as peer:
        peer.start()
        found = 0
        for slug in slugs:
            result = peer.call("search_tools", {"query": "", "server": slug, "limit": 1})
            found += f"{slug}/" in json.dumps(result.get("content", ""))
    return found


def measure(argv, slugs, runs, bounds):
    """Prints the figures of one catalog; returns what did not hold."""
    problems, surfaces = [], set()
    label = f"{len(slugs)} servers"
    for era in (rpc.LEGACY, rpc.MODERN):
        firsts, lists = [], []
        for _ in range(runs):
            first, listed, instructions, tools, started = one_start(argv, era)
            firsts.append(first)
            lists.append(listed)
            surfaces.add((instructions, json.dumps(tools, ensure_ascii=False, separators=(",", ":"))))
            if started:
                problems.append(f"{label}: a start ran {sorted(started.values())[:3]}")
        method = "initialize" if era == rpc.LEGACY else "server/discover"
        print(f"  {method:16} {statistics.median(firsts):6.1f} ms (worst {max(firsts):.1f})   "
              f"tools/list {statistics.median(lists):6.1f} ms (worst {max(lists):.1f})   after spawn, {runs} runs")
        if statistics.median(firsts) > START_MS:
            problems.append(f"{label}: {method} answered after {statistics.median(firsts):.1f} ms, over {START_MS}")
    if len(surfaces) != 1:
        problems.append(f"{label}: tools and instructions were not the same bytes in every start ({len(surfaces)} kinds)")
    instructions, tools = sorted(surfaces)[0]
    counts = common.count_tokens([instructions, tools])
    print(f"  tokens (o200k_base): instructions {counts[0]} + tools {counts[1]} = {sum(counts)}, at most {bounds}")
    if sum(counts) > bounds:
        problems.append(f"{label}: {sum(counts)} tokens, over {bounds}")
    found = known_servers(argv, slugs)
    print(f"  servers that a browse finds: {found} of {len(slugs)}")
    if found != len(slugs):
        problems.append(f"{label}: only {found} of {len(slugs)} servers can be browsed")
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--toolcrib", type=Path, required=True, help="the program to measure")
    parser.add_argument("--runs", type=int, default=20, help="starts per era")
    parser.add_argument("--keep", type=Path, help="leave configurations and registries in this folder")
    args = parser.parse_args()
    known = common.manifest()
    captured = [slug for slug in known if (common.CATALOG / "servers" / f"{slug}.json").exists()]
    problems = []
    with contextlib.ExitStack() as cleanup:
        folder = args.keep or Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="toolcrib-seed-")))
        folder.mkdir(parents=True, exist_ok=True)
        for slugs, bounds in ((POWER_USER, TOKENS_OF_20), (captured, TOKENS_OF_ALL)):
            config = folder / f"seed-{len(slugs)}.toml"
            write_config(config, slugs)
            argv = [str(args.toolcrib.resolve()), "--config", str(config), "--data-dir", str(folder / f"data-{len(slugs)}")]
            direct = [known[slug]["captured"] for slug in slugs]
            seconds = reindex(argv)
            print(f"\n{len(slugs)} servers, {sum(each['tools'] for each in direct)} tools, "
                  f"{sum(each['tokens'] for each in direct):,} tokens when loaded directly; reindex {seconds:.1f} s")
            problems += measure(argv, list(slugs), args.runs, bounds)
    for problem in problems:
        print(f"FAILED: {problem}")
    print(f"{len(problems)} failed")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
