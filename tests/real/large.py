#!/usr/bin/env python3
"""Large results of real servers through toolcrib: within the budget, useful from the start, and frank about what is left out.

    python3 tests/real/install.py
    python3 tests/real/large.py --toolcrib target/release/toolcrib [--only a,b] [--show TOOL]

Every recorded call whose result was over the default budget is made once directly and once through `toolcrib serve` with its
default configuration, the calls before it too where it needs them. Whole results stay in the cache folder, where `just tasks`
finds them.
"""

import argparse
import json
import re
import sys
import tempfile
from pathlib import Path

import check
import common
import rpc

# The default budget of a result, in o200k_base tokens, and how far two tokenizers may be apart that split a text differently.
BUDGET = 8_000
SLACK = 40
# A result far over the budget shows a quarter of it, as far as whole items fill that, and says how to read on.
LEAST_SHARE = 0.15
RESULTS = common.ROOT / "results"


def text_of(result):
    """All text of a result."""
    return "\n".join(block["text"] for block in result.get("content", []) if block.get("type") == "text")


def read_text(result):
    """What a model reads of a result where its client shows both copies."""
    structured = result.get("structuredContent")
    return text_of(result) + (compact(structured) if structured is not None else "")


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def minified(text):
    """A text without what only makes it pretty, where it is JSON."""
    try:
        return compact(json.loads(text))
    except ValueError:
        return text


def said_numbers(text):
    """Every number that a text says, grouped or not."""
    return {int(number.replace(",", "")) for number in re.findall(r"\d{1,3}(?:,\d{3})+|\d+", text)}


def is_said(wanted, numbers):
    """Whether one of the numbers is this one, a tenth more or less."""
    return any(0.9 * wanted <= number <= 1.1 * wanted for number in numbers)


def unlike_json(whole, head):
    """What a head of JSON must show and does not: the fields, a first item of each large array, and how many there are."""
    missing = []
    if isinstance(whole, dict):
        missing += [f"the field {key!r}" for key in list(whole)[:10] if json.dumps(key) not in head]
    arrays = list(whole.values()) if isinstance(whole, dict) else [whole]
    for array in (each for each in arrays if isinstance(each, list) and len(each) > 100):
        if isinstance(array[0], dict):
            missing += [f"the item's field {key!r}" for key in list(array[0])[:6] if key not in head]
        numbers = said_numbers(head)
        if not any(len(array) - shown in numbers for shown in range(len(array))[:1000]):
            missing.append(f"that an array has {len(array)} items")
    return missing


def unlike_text(whole, head):
    """What a head of any other text must show and does not: its first lines."""
    first = [line.strip()[:80] for line in whole.splitlines() if line.strip()][:3]
    return [f"the line {line!r}" for line in first if line not in head]


def shortcomings(direct, reply, tokens, whole_sizes):
    """What is wrong with a cut result of so many tokens. One of the sizes must be said."""
    whole, head = text_of(direct), text_of(reply)
    found = []
    if tokens > BUDGET + SLACK:
        found.append(f"{tokens} tokens, over {BUDGET}")
    if head == minified(whole):  # it was only its white space that was too much
        return found
    if tokens < LEAST_SHARE * BUDGET:
        found.append(f"only {tokens} tokens of {BUDGET} used")
    try:
        found += [f"does not show {what}" for what in unlike_json(json.loads(whole), head)]
    except ValueError:
        found += [f"does not show {what}" for what in unlike_text(whole, head)]
    # The words of the notice are toolcrib's; that it says the size of the whole is what counts.
    if not any(is_said(size, said_numbers(head[-1500:])) for size in whole_sizes):
        found.append("does not say how large the whole is")
    return found


def read_on(peer, head):
    """Makes the call that a cut result names for reading on, if it names one; its answer's text."""
    named = head.rfind("crib/read_result")
    for start in [at.start() for at in re.finditer(r"\{", head[:named])][:-4:-1] if named >= 0 else []:
        try:
            asked, _ = json.JSONDecoder().raw_decode(head[start:])
        except ValueError:
            continue
        if asked.get("tool") == "crib/read_result":
            return text_of(peer.call("call_tool", asked))
    if named >= 0 and (start := head.find("{", named)) >= 0:
        arguments, _ = json.JSONDecoder().raw_decode(head[start:])
        return text_of(peer.call("call_tool", {"tool": "crib/read_result", "arguments": arguments}))
    return None


def large_calls(entry):
    """Where in a server's calls the large ones are."""
    return [at for at, call in enumerate(entry["calls"]) if (call.get("text_tokens") or 0) > BUDGET]


def direct_results(server, entry):
    """The large results as the server gives them, by place."""
    common.prepare(server, entry)
    with rpc.Peer(**common.launch(server, entry.get("extra_args", []))) as peer:
        peer.start()
        last = max(large_calls(entry))
        results = [peer.call(call["tool"], common.fill(call["arguments"], server)) for call in entry["calls"][: last + 1]]
    return {at: results[at] for at in large_calls(entry)}


def brokered_results(peer, server, entry):
    """The same through toolcrib, each with what reading on gave."""
    common.prepare(server, entry)
    replies = {}
    for at, call in enumerate(entry["calls"][: max(large_calls(entry)) + 1]):
        name = f"{server['slug']}/{call['tool']}"
        reply = peer.call("call_tool", {"tool": name, "arguments": common.fill(call["arguments"], server)})
        if at in large_calls(entry):
            replies[at] = (reply, read_on(peer, text_of(reply)))
    return replies


def check_server(peer, known, calls, slug, show):
    """Prints a line for each large result of one server; returns what is wrong."""
    server, entry, problems = known[slug], calls[slug], []
    direct = direct_results(server, entry)
    for at, (reply, rest) in brokered_results(peer, server, entry).items():
        name = f"{slug}/{entry['calls'][at]['tool']}"
        whole = direct[at]
        if "error" in whole or whole.get("isError") or "error" in reply or reply.get("isError"):
            problems.append(f"{name}: failed: {text_of(whole)[:200]!r} {text_of(reply)[:200]!r}")
            continue
        RESULTS.mkdir(parents=True, exist_ok=True)
        (RESULTS / f"{slug}.{at}.json").write_text(json.dumps(whole, ensure_ascii=False))
        texts = [text_of(whole), read_text(whole), read_text(reply), rest or "", minified(text_of(whole))]
        text, both, ours, more, least = common.count_tokens(texts)
        print(f"{name:34} {text:9,} {both:11,} {ours:9,} {more if rest else '-':>8}", flush=True)
        if show in (name, "all"):
            print(text_of(reply))
        problems += [f"{name}: {what}" for what in shortcomings(whole, reply, ours, (text, least, len(texts[0]), len(texts[4])))]
        if "[cut: " in text_of(reply) and rest is None:
            problems.append(f"{name}: names no call that reads on")
        if rest is not None and not 0 < more <= BUDGET + SLACK:
            problems.append(f"{name}: reading on gave {more} tokens")
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--toolcrib", type=Path, required=True, help="the program to check")
    parser.add_argument("--only", default="", help="comma-separated servers instead of all installed")
    parser.add_argument("--show", default="", help="print what the model reads of this tool's result, or of `all`")
    args = parser.parse_args()
    if not common.loopback_only():
        print("no right to leave the network: servers can reach it", file=sys.stderr)
    known, calls = common.manifest(), common.recorded_calls()
    wanted = common.pick(args.only, common.CHOSEN + common.FOR_LARGE_RESULTS)
    slugs = [slug for slug in common.installed(wanted, known) if slug in calls and large_calls(calls[slug])]
    if not slugs:
        common.die("no server with a large result is installed: run tests/real/install.py first")
    common.make_fixtures()
    check.serve_fixtures()
    problems = []
    with tempfile.TemporaryDirectory(prefix="toolcrib-large-") as folder:
        config = Path(folder) / "toolcrib.toml"
        servers = {slug: common.launch(known[slug], calls[slug].get("extra_args", [])) for slug in slugs}
        config.write_text(common.toml_text(servers, {}))
        for slug in slugs:
            common.prepare(known[slug], calls[slug])
        broker = check.Broker(args.toolcrib.resolve(), config, Path(folder) / "data")
        broker.reindex()
        print(f"{'tokens of a result':34} {'text':>9} {'with copy':>11} {'toolcrib':>9} {'read on':>8}")
        with broker.serve() as peer:
            peer.start()
            for slug in slugs:
                try:
                    problems += check_server(peer, known, calls, slug, args.show)
                except (RuntimeError, OSError, rpc.NoAnswer, rpc.RpcError) as problem:
                    problems.append(f"{slug}: {problem}")
    for problem in problems:
        print(f"FAILED: {problem}")
    print(f"{len(problems)} failed")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
