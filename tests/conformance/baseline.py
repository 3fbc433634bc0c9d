"""The baseline files: what is known to fail, each entry with its reason; and the judgement of a run against them.

The files are those that the suite takes as `--expected-failures`: lists of `scenario` or `scenario:check` below
`server:` and `client:`. Two things are stricter here: the reason, as a comment behind the entry or above its group, must
be there, and an entry that nothing needs any more is an error. One thing is more: `name/*` stands for all scenarios that
begin so, which are then not run.
"""

import dataclasses
import fnmatch
import re


class Baseline:
    """The entries of one file for `server` or `client`."""

    def __init__(self, path, leg):
        self.name = path.name
        self.reasons = parse(path.read_text(), leg, path.name) if path.exists() else {}
        self.used = set()
        self.met = set()

    def skips(self, scenario):
        """Whether a scenario is not run at all."""
        for entry in self.reasons:
            if entry.endswith("/*") and fnmatch.fnmatchcase(scenario, entry):
                self.used.add(entry)
                self.met.add(entry)
                return True
        return False

    def excuses(self, scenario, check):
        """Whether this failure is known."""
        for entry in (scenario, f"{scenario}:{check}"):
            if entry in self.reasons:
                self.used.add(entry)
                return True
        return False

    def meet(self, scenario, checks):
        """Notes that a scenario was run, so that its entries can be stale."""
        self.met.add(scenario)
        self.met.update(f"{scenario}:{check}" for check in checks)

    def stale(self):
        """Entries that were run and excused nothing."""
        return sorted(entry for entry in self.reasons if entry in self.met and entry not in self.used)


def parse(text, leg, name):
    """The entries of one leg, `{entry: reason}`."""
    reasons, current, above = {}, None, ""
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped:
            above = ""
        elif stripped.startswith("#"):
            above = f"{above} {stripped.lstrip('# ')}".strip()
        elif match := re.fullmatch(r"(server|client):(?: \[\])?", stripped):
            current, above = match[1], ""
        elif match := re.fullmatch(r"- ([^\s#]+)(?:\s+# (.+))?", stripped):
            if not (match[2] or above):
                raise ValueError(f"{name}:{number}: {match[1]} has no reason")
            if current == leg:
                reasons[match[1]] = match[2] or above
        else:
            raise ValueError(f"{name}:{number}: not an entry: {stripped}")
    return reasons


@dataclasses.dataclass
class Row:
    """One scenario of one run, as the table shows it."""

    run: str
    scenario: str
    direct: str
    here: str
    outcome: str
    problems: list


def count(verdicts):
    """Passed and failed occurrences, as text."""
    passed = sum(one.passed for one in verdicts.values())
    failed = sum(one.failed for one in verdicts.values())
    return f"{passed}/{passed + failed}"


def judge(run, found, baseline, direct=None):
    """The rows of one run. With `direct`, a check must do at least as well here as it did there."""
    rows = []
    for scenario in sorted({*found, *(direct or {})}):
        here = found.get(scenario, {})
        there = (direct or {}).get(scenario, {})
        baseline.meet(scenario, here)
        problems = []
        excused = False
        for check in sorted({*here, *there}):
            says = worse(here.get(check), there.get(check), direct is not None)
            if not says:
                continue
            if baseline.excuses(scenario, check):
                excused = True
            else:
                problems.append(f"{check}: {says}")
        outcome = "FAIL" if problems else "known" if excused else "ok"
        rows.append(Row(run, scenario, count(there) if direct else "", count(here), outcome, problems))
    return rows


def worse(here, there, compared):
    """Why a check counts as failed, or nothing."""
    if here is None:
        # A check that told nothing there need not be here.
        return "was not reached" if there.passed else ""
    if not compared:
        return (here.says or here.status) if here.bad else ""
    if there is not None and there.bad:
        return ""  # it does not hold without us either
    if here.bad:
        return here.says or here.status
    if there is not None and here.passed < there.passed:
        return f"passed {here.passed} times, {there.passed} times directly"
    return ""
