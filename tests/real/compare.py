"""Says whether two results of one tool call are the same, as far as a server gives the same answer twice at all.

What differs between two direct runs is learned from these runs: a leaf that differed is compared by its shape only
(dates, numbers, hashes and durations masked), and by its kind when even the shapes differed. toolcrib shortens
results without loss, so JSON in texts is compared by value, and a text that only repeats `structuredContent` counts
as one with it. Knows nothing of processes or the wire.
"""

import json
import re

MASKS = (
    (re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?"), "<date>"),
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "<uuid>"),
    (re.compile(r"\b[0-9a-f]{7,64}\b"), "<hex>"),
    (re.compile(r"\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*\b"), "<day>"),
    (re.compile(r"\b(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\b"), "<month>"),
    (re.compile(r"\d+(\.\d+)?"), "<n>"),
)


def mask(text):
    """The shape of a text: what changes from day to day and from run to run taken out."""
    for pattern, stands_for in MASKS:
        text = pattern.sub(stands_for, text)
    return text


def parsed(text):
    """The value of a text that is a JSON object or array, else nothing."""
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        return json.loads(text)
    except ValueError:
        return None


def repeats(text, structured):
    """Whether a text says no more than the structured content: the same value, or the value FastMCP wraps."""
    if structured is None:
        return False
    value = parsed(text)
    if value is not None and value in (structured, structured.get("result") if isinstance(structured, dict) else None):
        return True
    return isinstance(structured, dict) and list(structured) == ["result"] and structured["result"] == text


def canonical(result):
    """A result with everything of equal meaning written one way."""
    if "error" in result:
        return {"error": {"message": result["error"].get("message")}}
    structured = result.get("structuredContent")
    blocks = []
    for block in result.get("content", []):
        if block.get("type") == "text":
            if repeats(block["text"], structured):
                continue
            value = parsed(block["text"])
            block = {**block, "text": value if value is not None else block["text"]}
        blocks.append(block)
    kept = {key: value for key, value in result.items() if key not in ("content", "resultType")}
    kept["isError"] = bool(result.get("isError"))
    kept["content"] = blocks
    return kept


def without_copy(result):
    """The canonical form of a result whose reader keeps the text copy and drops the structured content."""
    return canonical({key: value for key, value in result.items() if key != "structuredContent"})


def leaves(value, path=""):
    """Every scalar of a value with its JSON pointer; empty containers count as scalars."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from leaves(item, f"{path}/{key}")
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from leaves(item, f"{path}/{index}")
    else:
        yield path, value


def volatile_paths(first, second):
    """Which leaves a server does not repeat, and whether at least their shape is stable: `{pointer: stable shape}`."""
    one, two = dict(leaves(first)), dict(leaves(second))
    found = {}
    for path in one.keys() | two.keys():
        if path not in one or path not in two:
            found[path] = False
        elif one[path] != two[path]:
            found[path] = mask(str(one[path])) == mask(str(two[path]))
    return found


def differences(expected, got, volatile):
    """What is different in `got`, as short lines; leaves known to be volatile are compared leniently."""
    one, two = dict(leaves(expected)), dict(leaves(got))
    found = []
    for path in sorted(one.keys() | two.keys()):
        if path in volatile and not volatile[path]:
            continue
        if path not in two:
            found.append(f"{path or '/'}: missing, was {short(one[path])}")
        elif path not in one:
            found.append(f"{path or '/'}: added {short(two[path])}")
        elif path in volatile:
            if mask(str(one[path])) != mask(str(two[path])):
                found.append(f"{path}: shape {short(mask(str(two[path])))}, was {short(mask(str(one[path])))}")
        elif one[path] != two[path] or isinstance(one[path], bool) != isinstance(two[path], bool):
            found.append(f"{path or '/'}: {short(two[path])}, was {short(one[path])}")
    return found


def short(value):
    """A value in few enough characters for a report."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 160 else f"{text[:80]} … {text[-60:]} ({len(text)} characters)"


def compare(first, second, brokered):
    """Differences between direct runs and the brokered one; empty where they say the same."""
    plain = differences(canonical(first), canonical(brokered), volatile_paths(canonical(first), canonical(second)))
    if not plain or "structuredContent" in brokered or "structuredContent" not in first:
        return plain
    one, two = without_copy(first), without_copy(second)
    return differences(one, without_copy(brokered), volatile_paths(one, two))


def breaks_contract(tool, arguments):
    """Whether a call is wrong by the tool's own schema, so that a broker may answer without asking the server."""
    if tool is None:
        return True
    kinds = {"string": str, "number": (int, float), "integer": int, "boolean": bool, "object": dict, "array": list}
    schema = tool.get("inputSchema", {})
    if any(name not in arguments for name in schema.get("required", [])):
        return True
    for name, value in arguments.items():
        kind = kinds.get(str(schema.get("properties", {}).get(name, {}).get("type")))
        if kind and not isinstance(value, kind):
            return True
    return False
