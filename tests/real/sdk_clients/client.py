"""The Python SDK's client, as an application uses it: every kind of traffic that an application can see.

    python client.py MODE TARGETS_JSON SCRATCH_FOLDER

MODE is `legacy` or `auto`. A target is `{"door", "servers", "command" | "url"}`: one connection, and the servers behind it.
Prints a JSON line for each server and kind: `{"door", "server", "kind", "problem"}`, problem null for good. `client.mjs` is
the same with the TypeScript SDK. Runs inside the virtual environment of `eras.py`.
"""

import json
import sys
import uuid
import warnings
from pathlib import Path

import anyio
import mcp_types as types
from mcp import Client, StdioServerParameters

DEADLINE = 10
COUNTER = "bench://counter"


class Seen:
    """What the callbacks of one connection saw."""

    def __init__(self):
        self.asked = []
        self.lines = []
        self.updated = []

    async def elicit(self, context, params):
        self.asked.append(params.mode or "form")
        content = {"colour": "green"} if self.asked[-1] == "form" else None
        return types.ElicitResult(action="accept", content=content)

    async def sample(self, context, params):
        self.asked.append("sampling")
        said = types.TextContent(type="text", text="malt")
        return types.CreateMessageResult(role="assistant", content=said, model="scripted", stop_reason="endTurn")

    async def roots(self, context):
        self.asked.append("roots")
        return types.ListRootsResult(roots=[types.Root(uri="file:///srv/kitchen", name="kitchen")])

    async def log(self, params):
        self.lines.append(params.level)

    async def message(self, message):
        if isinstance(message, types.ResourceUpdatedNotification):
            self.updated.append(str(message.params.uri))


class Bench:
    """One server behind one connection."""

    def __init__(self, client, seen, door, server, scratch):
        self.client, self.seen, self.door, self.server, self.scratch = client, seen, door, server, scratch

    @property
    def modern(self):
        return self.client.protocol_version == "2026-07-28"

    def name(self, name):
        return f"{self.server}/{name}" if self.door == "broker" else name

    def uri(self, uri):
        return f"crib://{self.server}/{uri}" if self.door == "broker" else uri

    async def call(self, tool, arguments=None, **options):
        if self.door == "broker":
            tool, arguments = "call_tool", {"tool": self.name(tool), "arguments": arguments or {}}
        return await self.client.call_tool(tool, arguments or {}, **options)

    async def answers(self, tool, *wanted):
        self.seen.asked.clear()
        result = await self.call(tool)
        assert self.seen.asked == list(wanted), f"asked {self.seen.asked}"
        assert not result.is_error, result.content
        return json.loads(result.content[0].text)


async def whole(bench):
    result = await bench.call("whole")
    kinds = [block.type for block in result.content]
    assert kinds == ["text", "image", "resource_link", "resource"], kinds
    assert result.structured_content == {"zebra": 1, "apple": {"deep": [1, 2.5, None, True]}}, result.structured_content
    assert result.content[0].annotations.priority == 0.7, result.content[0]


async def lists(bench):
    resources = [str(each.uri) for each in (await bench.client.list_resources()).resources]
    assert bench.uri(COUNTER) in resources, resources
    prompts = [each.name for each in (await bench.client.list_prompts()).prompts]
    assert bench.name("order") in prompts, prompts
    read = await bench.client.read_resource(bench.uri(COUNTER))
    assert read.contents[0].text == "counted", read
    prompt = await bench.client.get_prompt(bench.name("order"), {"flavour": "malt"})
    assert prompt.messages[0].content.text == "One malt.", prompt


async def form(bench):
    answers = await bench.answers("ask_form", "form")
    assert answers == [{"action": "accept", "content": {"colour": "green"}}], answers


async def url(bench):
    answers = await bench.answers("ask_url", "url")
    assert answers[0]["action"] == "accept", answers


async def sampling(bench):
    answers = await bench.answers("ask_model", "sampling")
    assert answers[0]["content"] == {"type": "text", "text": "malt"}, answers


async def roots(bench):
    answers = await bench.answers("ask_roots", "roots")
    assert answers[0]["roots"][0]["name"] == "kitchen", answers


async def rounds(bench):
    answers = await bench.answers("ask_twice", "form", "sampling", "form")
    assert len(answers) == 3, answers


async def prompt_asks(bench):
    bench.seen.asked.clear()
    prompt = await bench.client.get_prompt(bench.name("interview"))
    assert bench.seen.asked == ["form"], bench.seen.asked
    assert "green" in prompt.messages[0].content.text, prompt


async def progress(bench):
    steps = []

    async def step(done, total, message):
        steps.append((done, total, message))

    await bench.call("progress", progress_callback=step)
    assert steps == [(1, 3, "step 1"), (2, 3, "step 2"), (3, 3, "step 3")], steps


async def log_levels(bench):
    if not bench.modern:
        await bench.client.set_logging_level("warning")
    bench.seen.lines.clear()
    await bench.call("log")
    wanted = ["warning", "error"]
    # Directly, this server sends everything to a client of before.
    assert bench.seen.lines == wanted or (bench.door == "direct" and bench.seen.lines[2:] == wanted), bench.seen.lines


async def until(ready):
    with anyio.fail_after(DEADLINE):
        while not ready():
            await anyio.sleep(0.02)


async def cancellation(bench):
    mark = bench.scratch / uuid.uuid4().hex
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(bench.call, "hang", {"file": str(mark)})
        await until(lambda: mark.exists() and mark.read_text() == "started")
        tasks.cancel_scope.cancel()
    await until(lambda: mark.read_text() == "cancelled")


async def error(bench):
    try:
        result = await bench.call("fail")
    except Exception as refusal:
        assert bench.door != "broker" and "out of malt" in str(refusal), refusal
        return
    assert bench.door == "broker" and result.is_error and "out of malt" in result.content[0].text, result


async def completion(bench):
    ref = types.PromptReference(type="ref/prompt", name=bench.name("order"))
    found = (await bench.client.complete(ref, {"name": "flavour", "value": "m"})).completion.values
    assert found == ["malt", "mango", "mint"], found


async def subscription(bench):
    uri = bench.uri(COUNTER)
    if bench.modern:
        with anyio.fail_after(DEADLINE):
            async with bench.client.listen(resource_subscriptions=[uri]) as events:
                assert events.honored.resource_subscriptions == [uri], events.honored
                await bench.call("touch")
                async for event in events:
                    assert event.uri == uri, event
                    return
    await bench.client.subscribe_resource(uri)
    bench.seen.updated.clear()
    await bench.call("touch")
    await until(lambda: uri in bench.seen.updated)
    await bench.client.unsubscribe_resource(uri)


KINDS = (whole, lists, form, url, sampling, roots, rounds, prompt_asks, progress, log_levels, cancellation, error, completion,
         subscription)


async def check(mode, target, scratch):
    """One connection; a line for each kind and server behind it."""
    seen = Seen()
    where = target.get("url") or StdioServerParameters(command=target["command"][0], args=target["command"][1:])
    told = {"door": target["door"]}
    try:
        client = Client(where, mode=mode, elicitation_callback=seen.elicit, sampling_callback=seen.sample,
                        list_roots_callback=seen.roots, logging_callback=seen.log, message_handler=seen.message,
                        log_level="warning", read_timeout_seconds=DEADLINE)
        async with client:
            for server in target["servers"]:
                bench = Bench(client, seen, target["door"], server, scratch)
                for kind in KINDS:
                    problem = None
                    try:
                        with anyio.fail_after(2 * DEADLINE):
                            await kind(bench)
                    except Exception as trouble:
                        problem = f"{type(trouble).__name__}: {trouble}"[:400]
                    print(json.dumps({**told, "server": server, "kind": kind.__name__, "problem": problem}), flush=True)
    except Exception as trouble:
        for server in target["servers"]:
            print(json.dumps({**told, "server": server, "kind": "start", "problem": f"{trouble!r}"[:400]}), flush=True)


async def main():
    warnings.simplefilter("ignore")
    mode, targets, scratch = sys.argv[1:]
    for target in json.loads(targets):
        await check(mode, target, Path(scratch))


if __name__ == "__main__":
    anyio.run(main)
