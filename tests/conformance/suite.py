"""The official conformance suite: installs it, runs it, and reads what it found.

A result is `{scenario: {check: Verdict}}`. Check ids repeat within a scenario; they come together as the worst of them
and the number that passed, which is how the suite itself judges them.
"""

import dataclasses
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "real"))

import common  # noqa: E402  the shared helpers must be found first
import install  # noqa: E402

PACKAGES = ["@modelcontextprotocol/conformance@0.2.0-alpha.12"]
FOLDER = common.CACHE / "conformance"
SUITE = FOLDER / "node_modules/@modelcontextprotocol/conformance"
REVISIONS = ("2025-11-25", "2026-07-28")

# From best to worst. What was skipped or only told says nothing of the peer.
ORDER = ("SKIPPED", "INFO", "SUCCESS", "WARNING", "FAILURE")
# Of one scenario. The longest, over a subscription, takes some seconds.
SCENARIO_MS = 20_000
# Of a whole server set, which runs in one process.
SET_S = 120


@dataclasses.dataclass
class Verdict:
    """What the occurrences of one check came to."""

    status: str = "SKIPPED"
    passed: int = 0
    failed: int = 0
    says: str = ""

    def add(self, status, says):
        self.passed += status == "SUCCESS"
        self.failed += status in ("FAILURE", "WARNING")
        if ORDER.index(status) > ORDER.index(self.status):
            self.status, self.says = status, says or ""

    @property
    def bad(self):
        return self.failed > 0


def installed():
    """Installs the suite and a node that runs it, unless they are there already."""
    install.node()
    mark = FOLDER / install.MARK
    if mark.exists() and mark.read_text() == json.dumps(PACKAGES):
        return
    since = time.monotonic()
    shutil.rmtree(FOLDER, ignore_errors=True)
    install.npm(FOLDER, PACKAGES)
    mark.write_text(json.dumps(PACKAGES))
    print(f"installed {', '.join(PACKAGES)}: {time.monotonic() - since:.0f} s, {install.size_mb(FOLDER)} MB")


def node():
    """The node that runs the suite and the fixture."""
    return str(common.node_dir() / "node")


def client_scenarios(revision):
    """The client scenarios of a revision, the unscored ones included."""
    text = (SUITE / "requirements" / f"{revision}.yaml").read_text()
    required = re.search(r"^client:\n((?: {2}- .*\n|\n)+)", text, re.MULTILINE)
    unscored = re.findall(r"- scenario: (\S+)\n {4}leg: client", text)
    return re.findall(r"- (\S+)", required[1]) + unscored


def run(arguments, out, limit, env=None):
    """One run of the suite; its results go below `out`, its words are returned."""
    argv = [node(), str(SUITE / "dist/index.js"), *arguments, "-o", str(out)]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=limit, env={**os.environ, **(env or {})})
    except subprocess.TimeoutExpired as late:
        return f"the suite took over {limit} s: {late.stdout or ''}"
    (out / "suite.log").write_text(done.stdout + done.stderr)
    return done.stdout + done.stderr


def read(out):
    """What a run left below `out`."""
    found = {}
    for path in sorted(out.glob("*/checks.json")):
        scenario = re.sub(r"-\d{4}-\d{2}-\d{2}T[\d-]+Z$", "", str(path.parent.relative_to(out)))
        add_checks(found.setdefault(scenario.removeprefix("server-"), {}), json.loads(path.read_text()))
    return found


def add_checks(verdicts, checks):
    for check in checks:
        verdicts.setdefault(check["id"], Verdict()).add(check["status"], check.get("errorMessage"))


def server(url, revision, out, scenarios=(), env=None):
    """The server set of a revision against one endpoint, or only some scenarios of it."""
    out.mkdir(parents=True)
    options = ["server", "--url", url, "--timeout", str(SCENARIO_MS)]
    if scenarios:
        for scenario in scenarios:
            run([*options, "--scenario", scenario, "--spec-version", revision], out, SET_S, env)
    else:
        run([*options, "--requirements", revision], out, SET_S, env)
    return read(out)


def client(command, scenario, revision, out):
    """One client scenario: the command is run with the URL of the scenario's server behind it."""
    out.mkdir(parents=True)
    options = ["client", "--command", command, "--scenario", scenario, "--spec-version", revision]
    said = run([*options, "--timeout", str(SCENARIO_MS)], out, SCENARIO_MS / 1000 + 20)
    verdicts = {}
    # The scenario's name may hold a slash, which makes a folder more.
    for path in out.rglob("checks.json"):
        add_checks(verdicts, json.loads(path.read_text()))
    ended = re.search(r"CLIENT (TIMED OUT|EXITED WITH ERROR[^-\n]*)", said)
    if ended or not verdicts:
        verdicts["client-exit"] = Verdict("FAILURE", 0, 1, ended[0].lower() if ended else "no check was made")
    return verdicts
