"""An MCP server on the Python SDK that does everything a server can do to a client, one tool for each kind of traffic.

    python bench.py --era modern|legacy [--port PORT] [--era-file FILE]

Speaks over stdio, or over Streamable HTTP on loopback with `--port`. `modern` refuses the handshake, `legacy` has nothing
else; `--era-file` names a file that holds the era, read at the start. The word `mute` after it lets the greeting of the
other era go unanswered, as some servers do. `bench.mjs` is the same server on the TypeScript
SDK. Runs inside the virtual environment of `eras.py` and knows nothing of toolcrib.
"""

import argparse
import asyncio
import json
import warnings
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import mcp_types as types
import uvicorn
from mcp.server.caching import CacheHint
from mcp.server.lowlevel import NotificationOptions, Server
from mcp.server.stdio import stdio_server
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler, ResourcesListChanged, ResourceUpdated
from mcp.server.subscriptions import ToolsListChanged
from mcp.shared.exceptions import MCPError
from mcp.shared.message import ServerMessageMetadata, SessionMessage
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
FORM = {"type": "object", "properties": {"colour": {"type": "string", "enum": ["red", "green"]}}, "required": ["colour"]}
COUNTER = "bench://counter"
LATE = "bench://late"
FLAVOURS = ["malt", "mango", "mint", "plum"]
LEVELS = ["debug", "info", "warning", "error"]
RETIRED_VERSION = -32022

# What changes while the server runs: shared by all connections of a process.
state = {"counter": 0, "late tool": False, "late resource": False}
bus = InMemorySubscriptionBus()


def form(message):
    params = {"mode": "form", "message": message, "requestedSchema": FORM}
    return {"method": "elicitation/create", "params": params}


def address(legacy):
    params = {"mode": "url", "message": "Sign in, please.", "url": "https://bench.example/sign-in"}
    if legacy:
        params["elicitationId"] = "sign-in-1"
    return {"method": "elicitation/create", "params": params}


SAMPLE = {"method": "sampling/createMessage", "params": {
    "messages": [{"role": "user", "content": {"type": "text", "text": "Name a flavour."}}],
    "systemPrompt": "Be brief.", "maxTokens": 20, "temperature": 0.7,
}}
ROOTS = {"method": "roots/list"}
ANSWERS = {"elicitation/create": types.ElicitResult, "sampling/createMessage": types.CreateMessageResult,
           "roots/list": types.ListRootsResult}
REQUESTS = {"elicitation/create": types.ElicitRequest, "sampling/createMessage": types.CreateMessageRequest,
            "roots/list": types.ListRootsRequest}


def is_modern(ctx):
    return ctx.protocol_version in MODERN_PROTOCOL_VERSIONS


def text(value):
    words = value if isinstance(value, str) else json.dumps(value)
    return types.CallToolResult(content=[types.TextContent(type="text", text=words)])


async def push(ctx, question):
    """Asks the client in the middle of a call, as servers did while there was a handshake."""
    request = REQUESTS[question["method"]].model_validate(question)
    metadata = ServerMessageMetadata(related_request_id=ctx.request_id)
    answer = await ctx.session.send_request(request, ANSWERS[question["method"]], metadata=metadata)
    return answer.model_dump(by_alias=True, mode="json", exclude_none=True)


async def ask(ctx, params, questions):
    """Puts questions in turn; returns every answer, or what has to be returned so that the client answers the next."""
    if not is_modern(ctx):
        return [await push(ctx, question) for question in questions], None
    known = json.loads(params.request_state) if params.request_state else []
    if params.input_responses:
        answer = params.input_responses["next"]
        answer = answer if isinstance(answer, dict) else answer.model_dump(by_alias=True, mode="json", exclude_none=True)
        known.append(answer)
    if len(known) == len(questions):
        return known, None
    # The state is told to be what this server sent, so that a client that loses it fails.
    wanted = {"next": questions[len(known)]}
    return None, types.InputRequiredResult(input_requests=wanted, request_state=json.dumps(known))


async def asking(ctx, params, *questions):
    answers, required = await ask(ctx, params, questions)
    return required or text(answers)


async def whole(ctx, params):
    """A result with something of everything."""
    return types.CallToolResult.model_validate({
        "content": [
            {"type": "text", "text": "words", "annotations": {"audience": ["user"], "priority": 0.7},
             "_meta": {"bench/at": 1}},
            {"type": "image", "data": PIXEL, "mimeType": "image/png"},
            {"type": "resource_link", "uri": COUNTER, "name": "counter"},
            {"type": "resource", "resource": {"uri": COUNTER, "text": "0", "mimeType": "text/plain"}},
        ],
        "structuredContent": {"zebra": 1, "apple": {"deep": [1, 2.5, None, True]}},
        "_meta": {"bench/kind": "whole"},
    })


async def echo(ctx, params):
    meta = ctx.params.get("_meta") or {}
    kept = {key: value for key, value in meta.items() if not key.startswith("io.modelcontextprotocol/")}
    kept.pop("progressToken", None)
    return text({"arguments": params.arguments, "meta": kept})


async def whoami(ctx, params):
    told = ctx.session.client_capabilities
    return text({"capabilities": told.model_dump(by_alias=True, mode="json", exclude_none=True) if told else None,
                 "version": ctx.protocol_version})


async def progress(ctx, params):
    for step in (1, 2, 3):
        await ctx.session.report_progress(step, 3, f"step {step}")
        await anyio.sleep((params.arguments or {}).get("pause", 0))
    return text("three steps")


async def log(ctx, params):
    for level in LEVELS:
        await ctx.session.send_log_message(level, {"said": level}, "bench", related_request_id=ctx.request_id)
    return text("four lines")


async def log_later(ctx, params):
    """A line that belongs to no request; the newer era has none."""
    async def say():
        await anyio.sleep(0.2)
        await ctx.session.send_log_message("error", {"said": "later"}, "bench")

    state["later"] = asyncio.create_task(say())
    return text("a line, later")


async def hang(ctx, params):
    mark = Path(params.arguments["file"])
    mark.write_text("started")
    try:
        await anyio.sleep_forever()
    except anyio.get_cancelled_exc_class():
        mark.write_text("cancelled")
        raise


async def fail(ctx, params):
    raise MCPError(-31999, "out of malt", {"left": 0})


async def broken(ctx, params):
    return types.CallToolResult(content=[types.TextContent(type="text", text="the oven is cold")], is_error=True)


async def change_tools(ctx, params):
    state["late tool"] = params.arguments["there"]
    if is_modern(ctx):
        await bus.publish(ToolsListChanged())
    else:
        await ctx.session.send_tool_list_changed()
    return text(f"late tool: {state['late tool']}")


async def change_resources(ctx, params):
    state["late resource"] = params.arguments["there"]
    if is_modern(ctx):
        await bus.publish(ResourcesListChanged())
    else:
        await ctx.session.send_resource_list_changed()
    return text(f"late resource: {state['late resource']}")


async def touch(ctx, params):
    state["counter"] += 1
    if is_modern(ctx):
        await bus.publish(ResourceUpdated(uri=COUNTER))
    else:
        await ctx.session.send_resource_updated(COUNTER)
    return text("touched")


TOOLS = {
    "whole": whole, "echo": echo, "whoami": whoami, "progress": progress, "log": log, "log_later": log_later,
    "hang": hang, "fail": fail,
    "broken": broken, "change_tools": change_tools, "change_resources": change_resources, "touch": touch,
    "ask_form": lambda ctx, params: asking(ctx, params, form("Which colour?")),
    "ask_url": lambda ctx, params: asking(ctx, params, address(not is_modern(ctx))),
    "ask_model": lambda ctx, params: asking(ctx, params, SAMPLE),
    "ask_roots": lambda ctx, params: asking(ctx, params, ROOTS),
    "ask_twice": lambda ctx, params: asking(ctx, params, form("First?"), SAMPLE, form("Last?")),
}


async def list_tools(ctx, params):
    names = [*TOOLS, *(["late"] if state["late tool"] else [])]
    schema = {"type": "object"}
    return types.ListToolsResult(tools=[
        types.Tool(name=name, description=f"Does {name} for the bench.", input_schema=schema) for name in names
    ])


async def call_tool(ctx, params):
    if params.name not in TOOLS:
        raise MCPError(-32602, f"no tool {params.name}")
    return await TOOLS[params.name](ctx, params)


async def list_resources(ctx, params):
    uris = [COUNTER, *([LATE] if state["late resource"] else [])]
    return types.ListResourcesResult(resources=[
        types.Resource(uri=uri, name=uri[8:], mime_type="text/plain") for uri in uris
    ])


async def list_templates(ctx, params):
    template = types.ResourceTemplate(uri_template="bench://shelf/{flavour}", name="shelf")
    return types.ListResourceTemplatesResult(resource_templates=[template])


async def read_resource(ctx, params):
    if str(params.uri) != COUNTER:
        raise MCPError(-32602, f"no resource {params.uri}")
    counted = types.TextResourceContents(uri=COUNTER, text="counted", mime_type="text/plain")
    return types.ReadResourceResult(contents=[counted])


async def subscribe(ctx, params):
    return types.EmptyResult()


async def list_prompts(ctx, params):
    argument = types.PromptArgument(name="flavour", required=True)
    prompts = [types.Prompt(name="order", arguments=[argument]), types.Prompt(name="interview")]
    return types.ListPromptsResult(prompts=prompts)


async def get_prompt(ctx, params):
    words = f"One {(params.arguments or {}).get('flavour')}."
    if params.name == "interview":
        answers, required = await ask(ctx, params, [form("Which colour?")])
        if required:
            return required
        words = json.dumps(answers)
    said = types.PromptMessage(role="user", content=types.TextContent(type="text", text=words))
    return types.GetPromptResult(messages=[said])


async def complete(ctx, params):
    found = [flavour for flavour in FLAVOURS if flavour.startswith(params.argument.value)]
    return types.CompleteResult(completion=types.Completion(values=found, total=len(found), has_more=False))


async def set_level(ctx, params):
    # Lines are sent whatever the level: who stands between must take away what the client did not ask for.
    return types.EmptyResult()


def make_server():
    hint = CacheHint(ttl_ms=61000, scope="public")
    lists = ("tools/list", "prompts/list", "resources/list", "resources/templates/list")
    cached = (*lists, "resources/read", "server/discover")
    server = Server(
        "bench-python", version="1.0.0", instructions="The bench.", cache_hints={method: hint for method in cached},
        on_list_tools=list_tools, on_call_tool=call_tool, on_list_resources=list_resources, on_read_resource=read_resource,
        on_list_resource_templates=list_templates, on_subscribe_resource=subscribe, on_unsubscribe_resource=subscribe,
        on_subscriptions_listen=ListenHandler(bus), on_list_prompts=list_prompts, on_get_prompt=get_prompt,
        on_completion=complete, on_set_logging_level=set_level,
    )
    # Over HTTP the SDK asks for the options itself, and would tell of no changes.
    changes = NotificationOptions(tools_changed=True, resources_changed=True)
    options = server.create_initialization_options(changes)
    server.create_initialization_options = lambda *_, **__: options
    return server


def refusal(message, era):
    """What a server of this era answers to a request of the other one; `None` where it is its own."""
    method = message.get("method")
    if era == "modern" and method == "initialize":
        data = {"supported": list(MODERN_PROTOCOL_VERSIONS), "requested": message["params"].get("protocolVersion")}
        return {"code": RETIRED_VERSION, "message": "Unsupported protocol version", "data": data}
    if era == "legacy" and method == "server/discover":
        return {"code": -32601, "message": "Method not found"}
    return None


@asynccontextmanager
async def one_era(streams, era, mute):
    """The streams of stdio without the requests of the other era, which are refused before the SDK settles on that era."""
    reader, writer = streams
    send, receive = anyio.create_memory_object_stream(0)

    async def pump():
        async with send:
            async for item in reader:
                message = getattr(item, "message", None)
                plain = message.model_dump(by_alias=True, mode="json") if message else {}
                if (error := refusal(plain, era)) and mute:
                    continue
                if error:
                    reply = types.JSONRPCError(jsonrpc="2.0", id=plain["id"], error=types.ErrorData(**error))
                    await writer.send(SessionMessage(reply))
                else:
                    await send.send(item)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(pump)
        yield receive, writer
        tasks.cancel_scope.cancel()


def one_era_http(app, era):
    """The same over HTTP."""
    async def filtered(scope, receive, send):
        if scope["type"] != "http" or scope["method"] != "POST":
            return await app(scope, receive, send)
        chunks, more = [], True
        while more:
            event = await receive()
            chunks.append(event.get("body", b""))
            more = event.get("more_body", False)
        body = b"".join(chunks)
        try:
            message = json.loads(body)
        except ValueError:
            message = {}
        error = refusal(message, era)
        if error is None:
            waiting = [{"type": "http.request", "body": body, "more_body": False}]

            async def replay():
                return waiting.pop() if waiting else await receive()

            return await app(scope, replay, send)
        reply = json.dumps({"jsonrpc": "2.0", "id": message.get("id"), "error": error}).encode()
        kind = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 400 if era == "modern" else 404, "headers": kind})
        await send({"type": "http.response.body", "body": reply})

    return filtered


async def serve_stdio(server, era, mute):
    async with stdio_server() as streams, one_era(streams, era, mute) as (reader, writer):
        await server.run(reader, writer, server.create_initialization_options())


def main():
    # Logging, sampling and roots are on their way out of the protocol; they are here to be checked as long as they are in it.
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser()
    parser.add_argument("--era", choices=("modern", "legacy"), default="modern")
    parser.add_argument("--era-file", type=Path)
    parser.add_argument("--port", type=int)
    args = parser.parse_args()
    era, *manners = args.era_file.read_text().split() if args.era_file else [args.era]
    server = make_server()
    if args.port is None:
        anyio.run(serve_stdio, server, era, "mute" in manners)
        return
    app = one_era_http(server.streamable_http_app(), era)
    uvicorn.run(app, host="127.0.0.1", port=args.port, log_level="warning", lifespan="on")


if __name__ == "__main__":
    main()
