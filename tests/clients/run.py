#!/usr/bin/env python3
"""Real MCP clients in front of `toolcrib serve`: each connects, lists, searches and calls. No model, no network.

    python3 tests/clients/run.py --toolcrib target/release/toolcrib [--only claude,codex] [--record FILE]

Installs the clients by pinned versions into the cache folder on the first run (npm and PyPI), then leaves the network
and runs each in a home folder of its own. `--record FILE` keeps what Claude Code sent to the model. One line per
check; exit code 1 when one failed.
"""

import argparse
import contextlib
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "real"))

import checks  # noqa: E402  the shared helpers must be found first
import common  # noqa: E402
import install  # noqa: E402
import rpc  # noqa: E402

CLIENTS = common.CACHE / "clients"
NPM = [
    "@anthropic-ai/claude-code@2.1.329",
    "@openai/codex@0.169.0",
    "@modelcontextprotocol/inspector@2.12.0",
    "@modelcontextprotocol/server-everything@2026.8.31",
]
PYPI = ["mcp==2.3.0", "fastmcp==4.1.2"]


def install_clients():
    """Installs what is missing or of another version."""
    install.node()
    install.uv()
    for folder, packages, how in ((CLIENTS / "npm", NPM, install_npm), (CLIENTS / "python", PYPI, install.venv)):
        mark = folder / install.MARK
        if mark.exists() and mark.read_text() == json.dumps(packages):
            continue
        since = time.monotonic()
        how(folder, packages)
        mark.write_text(json.dumps(packages))
        print(f"installed {', '.join(packages)}: {time.monotonic() - since:.0f} s, {install.size_mb(folder)} MB")


def install_npm(folder, packages):
    """Claude Code's install script only puts its binary, which npm fetched, in place; no other script is run."""
    install.npm(folder, packages)
    script = folder / "node_modules" / "@anthropic-ai" / "claude-code" / "install.cjs"
    install.run([str(common.node_dir() / "node"), str(script)], env=install.environment())


def backend_config(folder):
    """A client's own configuration file, unchanged, as `serve --config` takes it: one real server behind toolcrib."""
    script = CLIENTS / "npm/node_modules/@modelcontextprotocol/server-everything/dist/index.js"
    everything = {"command": str(common.node_dir() / "node"), "args": [str(script), "stdio"]}
    path = folder / "mcp.json"
    path.write_text(json.dumps({"mcpServers": {"everything": everything}}))
    return path


def advertised(command):
    """What toolcrib says of itself, read without any client: the instructions and the tools."""
    with rpc.Peer(command[0], command[1:]) as peer:
        hello = peer.start()
        return hello.get("instructions", ""), peer.tools()


@contextlib.contextmanager
def serving(command, token):
    """`toolcrib serve --http` while the checks run; its address."""
    with subprocess.Popen([*command, "--http", "127.0.0.1:0"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True, env={**os.environ, "TOOLCRIB_HTTP_TOKEN": token}) as process:
        said = process.stderr.readline().strip()
        if not said.startswith("listening on "):
            process.kill()
            common.die(f"serve --http says: {said}")
        try:
            yield said.removeprefix("listening on ")
        finally:
            process.terminate()


def run(bench, chosen):
    """One line per check; how many passed, and how many failed."""
    passed = failed = 0
    for name in chosen:
        since = time.monotonic()
        try:
            said = checks.ALL[name](bench)
        except (checks.Failed, rpc.NoAnswer, rpc.RpcError, subprocess.SubprocessError, OSError, ValueError,
                KeyError) as problem:
            failed += 1
            print(f"FAIL {name:22} {type(problem).__name__}: {problem}", flush=True)
            continue
        passed += 1
        print(f"ok   {name:22} {time.monotonic() - since:5.1f} s  {said}", flush=True)
    return passed, failed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--toolcrib", type=Path, required=True, help="the program to check")
    parser.add_argument("--only", default="", help=f"comma-separated: {', '.join(checks.ALL)}")
    parser.add_argument("--record", type=Path, help="write Claude Code's requests to the model to this JSON file")
    parser.add_argument("--network", action="store_true", help="leave the network as it is")
    args = parser.parse_args()
    chosen = args.only.split(",") if args.only else list(checks.ALL)
    if unknown := [name for name in chosen if name not in checks.ALL]:
        parser.error(f"no such client: {', '.join(unknown)}")
    install_clients()
    if not args.network and not common.loopback_only():
        print("no right to leave the network: clients can reach it", file=sys.stderr)

    with tempfile.TemporaryDirectory(prefix="toolcrib-clients-") as scratch:
        folder = Path(scratch)
        program = str(args.toolcrib.resolve())
        options = ["--config", str(backend_config(folder)), "--data-dir", str(folder / "data")]
        done = subprocess.run([program, "reindex", *options], capture_output=True, text=True, timeout=300)
        if done.returncode:
            common.die(f"reindex ended with {done.returncode}: {(done.stdout + done.stderr).strip()[-2000:]}")
        command = [program, "serve", *options]
        instructions, tools = advertised(command)
        token = secrets.token_urlsafe(32)
        with serving(command, token) as url:
            bench = checks.Bench(CLIENTS, folder, command, instructions, tools, args.record, url, token)
            passed, failed = run(bench, chosen)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
