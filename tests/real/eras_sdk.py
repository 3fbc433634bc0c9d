"""The clients of the SDKs, in both of their modes, through every door: one process for each client and mode."""

import concurrent.futures
import json
import subprocess
import time

import eras_peers
import rpc

# Client and mode, with the name it has in the table.
CLIENTS = {
    ("python", "legacy"): "python-sdk-old",
    ("python", "auto"): "python-sdk-new",
    ("typescript", "legacy"): "typescript-sdk-old",
    ("typescript", "auto"): "typescript-sdk-new",
}
# Longest one client may take for everything.
DEADLINE = 200


def targets(bench, mode):
    """What a client connects to: each of our servers directly and by passthrough, and all of them behind the broker."""
    servers = [server for server in bench.servers.values() if server.program == "bench"]
    doors = bench.args.doors.split(",")
    argv = [*bench.crib.argv, "serve", "--no-refresh"]
    era = rpc.LEGACY if mode == "legacy" else rpc.MODERN
    found = []
    for server in servers:
        if "direct" in doors and server.era == era:
            where = {"command": server.command} if server.transport == "stdio" else {"url": server.url}
            found.append({"door": "direct", "servers": [server.name], **where})
        if "passthrough" in doors:
            command = [*argv, "--passthrough", server.name]
            found.append({"door": "passthrough", "servers": [server.name], "command": command})
    if "broker" in doors and servers:
        found.append({"door": "broker", "servers": [server.name for server in servers], "command": argv})
    return found


def run(bench, sdk, mode):
    """One client; notes every cell it tells of, and says what it could not tell."""
    program = [eras_peers.python(), str(eras_peers.HERE / "sdk_clients/client.py")]
    if sdk == "typescript":
        program = [eras_peers.node(), str(eras_peers.FOLDER / "npm/client.mjs")]
    label = CLIENTS[sdk, mode]
    scratch = bench.scratch()
    scratch.mkdir()
    wanted = targets(bench, mode)
    process = subprocess.Popen([*program, mode, json.dumps(wanted), str(scratch)], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, env=eras_peers.environment(), start_new_session=True)
    try:
        out, errors = process.communicate(timeout=DEADLINE)
    except subprocess.TimeoutExpired:
        eras_peers.end_group(process)
        out, errors = process.communicate()
        bench.report.note("start", label, wanted[0]["door"], "any", f"not done in {DEADLINE} s: {errors[-300:]}")
    told = set()
    for line in out.splitlines():
        cell = json.loads(line)
        told.add((cell["door"], cell["server"]))
        if bench.wants(cell["kind"]) or cell["kind"] == "start":
            problem = cell["problem"] and " ".join(cell["problem"].split())
            bench.report.note(cell["kind"], label, cell["door"], cell["server"], problem)
    for target in wanted:
        for server in target["servers"]:
            if (target["door"], server) not in told:
                bench.report.note("start", label, target["door"], server, f"the client ended early: {errors[-300:]}")


def check(bench):
    """All four, two at a time: they share no state of a server."""
    since = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(2) as workers:
        waiting = [workers.submit(run, bench, *client) for client in CLIENTS]
        for done in waiting:
            done.result()
    print(f"clients of the SDKs: {time.monotonic() - since:.1f} s", flush=True)
