#!/usr/bin/env python3
"""The reference server over every transport: stdio, Streamable HTTP and HTTP+SSE, named and detected.

    python3 tests/real/install.py --only everything
    python3 tests/real/transports.py --toolcrib target/release/toolcrib

The server binds all interfaces, so everything runs in a network where only loopback exists.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import common

OLD, NEW = 39101, 39102


def until_listening(port, path, deadline=20):
    """Waits for somebody to listen; any answer will do, an event stream's first byte too."""
    end = time.monotonic() + deadline
    while time.monotonic() < end:
        try:
            urlopen(f"http://127.0.0.1:{port}{path}", timeout=5).close()
            return
        except URLError as error:
            if getattr(error, "code", None):
                return
            time.sleep(0.1)
    common.die(f"nobody listens on port {port}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--toolcrib", required=True, type=Path)
    toolcrib = parser.parse_args().toolcrib.resolve()
    server = common.manifest()["everything"]
    command = common.program(server)
    if not common.loopback_only():
        print("warning: this machine lets nobody make a network of its own; going on in the machine's")
    children = []
    failures = 0
    with tempfile.TemporaryDirectory(prefix="toolcrib-transports-") as folder:
        try:
            for mode, port in (("sse", OLD), ("streamableHttp", NEW)):
                env = dict(os.environ, PORT=str(port))
                quiet = subprocess.DEVNULL
                children.append(subprocess.Popen([*command, mode], env=env, stdin=quiet, stdout=quiet, stderr=quiet))
            until_listening(OLD, "/sse")
            until_listening(NEW, "/mcp")
            servers = {
                "stdio": {"command": command[0], "args": command[1:] + ["stdio"]},
                "http-detected": {"url": f"http://127.0.0.1:{NEW}/mcp"},
                "http-named": {"url": f"http://127.0.0.1:{NEW}/mcp", "type": "http"},
                "sse-detected": {"url": f"http://127.0.0.1:{OLD}/sse"},
                "sse-named": {"url": f"http://127.0.0.1:{OLD}/sse", "type": "sse"},
            }
            config = Path(folder) / "mcp.json"
            config.write_text(json.dumps({"mcpServers": servers}))
            base = [str(toolcrib), "--config", str(config), "--data-dir", str(Path(folder) / "data")]
            subprocess.run([*base, "reindex"], check=True, timeout=120, stderr=subprocess.DEVNULL)
            for name in servers:
                failures += not works(base, name)
        finally:
            for child in children:
                child.kill()
                child.wait()
    print(f"{len(servers) - failures} passed, {failures} failed")
    return 1 if failures else 0


def works(base, name):
    """A call, a call with progress, and an image."""
    def call(tool, *arguments):
        return subprocess.run([*base, "call", f"{name}/{tool}", *arguments], capture_output=True, text=True, timeout=60)

    echo = call("echo", "message=hello")
    slow = call("trigger-long-running-operation", "duration=1", "steps=2")
    image = call("get-tiny-image", "--json")
    kinds = [block["type"] for block in json.loads(image.stdout)["content"]] if image.returncode == 0 else []
    good = echo.stdout.strip() == "Echo: hello" and "progress 2 of 2" in slow.stderr and "image" in kinds
    print(f"{'ok  ' if good else 'FAIL'} {name}")
    if not good:
        print(echo.stdout, echo.stderr, slow.stdout, slow.stderr, image.stderr, sep="\n")
    return good


if __name__ == "__main__":
    sys.exit(main())
