"""The kinds of traffic, each as one check on a server of `servers/bench.*`: returns what was seen, raises what was wrong.

What is seen is told without what differs between the eras, so that it is the same through every door. Checks that a door
cannot pass by its nature are not made there; see `KINDS`.
"""

import json

import rpc
from eras_talk import CACHING, CAPABILITIES, FULL, LEVEL, LISTS, ROOTS, SAMPLED, SERVER_INFO, need, same, until

FORM = {"type": "object", "properties": {"colour": {"type": "string", "enum": ["red", "green"]}}, "required": ["colour"]}
COUNTER = "bench://counter"
LEVELS = ["debug", "info", "warning", "error"]


def greeting(talk):
    """What the server says of itself: toolcrib where it is one of many, the server itself otherwise."""
    hello = talk.dialogue.greeting
    if talk.modern:
        need(rpc.MODERN in hello["supportedVersions"], f"versions: {hello['supportedVersions']}")
        talk.shape(hello)
        talk.cached(hello)
    else:
        same(hello["protocolVersion"], talk.dialogue.wanted_version, "version")
    who = hello["_meta"][SERVER_INFO] if talk.modern else hello["serverInfo"]
    if talk.broker:
        same(who["name"], "toolcrib", "name")
        return None
    # The older era's tasks are none of the newer one's.
    return [who["name"], hello.get("instructions"), sorted(set(hello["capabilities"]) - {"tasks"})]


def whole(talk):
    """A result with every kind of content, annotations, structure and `_meta` of its own."""
    result = dict(talk.call("whole"))
    result.pop("resultType", None)
    meta = dict(result.pop("_meta", {}))
    meta.pop(SERVER_INFO, None)
    same(meta, {"bench/kind": "whole"}, "_meta of the result")
    # False is what its absence means.
    if not result.get("isError"):
        result.pop("isError", None)
    same(list(result["structuredContent"]), ["zebra", "apple"], "the order of keys")
    return result


def arguments(talk):
    """Arguments reach the server as they were written."""
    sent = {"zebra": {"y": 1, "x": [0.1, 1e-9, True, None]}, "apple": "ß\u2028\U0001f9c1", "integer": 9007199254740991}
    seen = talk.json("echo", sent)["arguments"]
    same(json.dumps(seen), json.dumps(sent), "arguments")
    return seen


def big_numbers(talk):
    """Numbers that fit in no machine word."""
    sent = {"big": 12345678901234567890123, "exact": 18446744073709551615}
    seen = talk.json("echo", sent)["arguments"]
    same(seen, sent, "arguments")
    return seen


def meta(talk):
    """What a client writes into `_meta` for the server, without what is meant for one hop."""
    sent = {"bench/trace": {"b": 1, "a": 2}, "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
    seen = talk.json("echo", {}, {**sent, "progressToken": "mine"})["meta"]
    same(seen, sent, "_meta of the request")
    return seen


def form(talk):
    """A question with a form, answered, declined and cancelled."""
    seen = []
    for action in ("accept", "decline", "cancel"):
        with talk.person.says(action) as asked:
            answers = talk.json("ask_form")
        same([method for method, _ in asked], ["elicitation/create"], "questions")
        same(asked[0][1].get("mode", "form"), "form", "mode")
        same(asked[0][1]["message"], "Which colour?", "message")
        same(asked[0][1]["requestedSchema"], FORM, "form")
        same(answers, [{"action": action, **({"content": {"colour": "green"}} if action == "accept" else {})}], "answer")
        seen += answers
    return seen


def url(talk):
    """A question that sends the person to an address."""
    with talk.person.says() as asked:
        answers = talk.json("ask_url")
    same([method for method, _ in asked], ["elicitation/create"], "questions")
    params = asked[0][1]
    seen = [params["mode"], params["url"], params["message"]]
    same(seen, ["url", "https://bench.example/sign-in", "Sign in, please."], "asked")
    # Clients of the older era refuse a question without it; the newer one has none.
    need(talk.modern or isinstance(params.get("elicitationId"), str), f"no elicitationId: {params}")
    same([answer["action"] for answer in answers], ["accept"], "answer")
    return answers


def sampling(talk):
    """A question to the client's model."""
    with talk.person.says() as asked:
        answers = talk.json("ask_model")
    same([method for method, _ in asked], ["sampling/createMessage"], "questions")
    params = {key: value for key, value in asked[0][1].items() if key != "_meta"}
    same(params, {"messages": [{"role": "user", "content": {"type": "text", "text": "Name a flavour."}}],
                  "systemPrompt": "Be brief.", "maxTokens": 20, "temperature": 0.7}, "asked")
    same(answers, [SAMPLED], "answer")
    return answers


def roots(talk):
    """A question for the client's roots."""
    with talk.person.says() as asked:
        answers = talk.json("ask_roots")
    same([method for method, _ in asked], ["roots/list"], "questions")
    same(answers, [ROOTS], "answer")
    return answers


def rounds(talk):
    """Three questions of two sorts, one after the other, in one call."""
    with talk.person.says() as asked:
        answers = talk.json("ask_twice")
    same([params.get("message") for _, params in asked], ["First?", None, "Last?"], "questions")
    return answers


def prompt_asks(talk):
    """A prompt that asks before it is given."""
    with talk.person.says() as asked:
        result = talk.dialogue.resolve("prompts/get", {"name": talk.prompt("interview")})
    talk.shape(result)
    same([method for method, _ in asked], ["elicitation/create"], "questions")
    answers = json.loads(result["messages"][0]["content"]["text"])
    same(answers, [{"action": "accept", "content": {"colour": "green"}}], "answer")
    return answers


def progress(talk):
    """Progress under the client's own token, whole, in order, before the result."""
    mark = talk.mark()
    talk.call("progress", meta={"progressToken": "tökén-1"})
    seen = talk.since(mark, "notifications/progress")
    same(sorted({str(params.get("progressToken")) for params in seen}), ["tökén-1"], "token")
    steps = [[params["progress"], params.get("total"), params.get("message")] for params in seen]
    same(steps, [[1, 3, "step 1"], [2, 3, "step 2"], [3, 3, "step 3"]], "steps")
    return steps


def log_levels(talk):
    """Log lines as severe as the client wants them: by request in one era, by `logging/setLevel` in the other."""
    seen = {}
    for level in ("warning", "debug"):
        if not talk.modern:
            same(talk.dialogue.request("logging/setLevel", {"level": level}), {}, "answer to logging/setLevel")
        mark = talk.mark()
        talk.call("log", meta={LEVEL: level} if talk.modern else None)
        lines = talk.since(mark, "notifications/message")
        need(all(line.get("data") == {"said": line["level"]} for line in lines), f"data of log lines: {lines}")
        seen[level] = [line["level"] for line in lines]
    # A server of before may send what nobody asked for; who stands between takes it away.
    if talk.door != "direct":
        same(seen, {"warning": LEVELS[2:], "debug": LEVELS}, "levels")
    if talk.modern:
        mark = talk.mark()
        talk.call("log")
        same(talk.since(mark, "notifications/message"), [], "log lines of a request that wants none")
    return seen["debug"]


def log_later(talk):
    """A log line that belongs to no request, which only the older era has."""
    same(talk.dialogue.request("logging/setLevel", {"level": "debug"}), {}, "answer to logging/setLevel")
    talk.call("log_later")
    mark = talk.mark()
    line = talk.hear(mark, "notifications/message", lambda params: params.get("data") == {"said": "later"})
    return [line["level"], line.get("logger")]


def cancellation(talk):
    """A call that is not wanted any more: the server is told, and goes on living."""
    mark = talk.scratch()
    request = talk.dialogue.begin("tools/call", talk.params("hang", {"file": str(mark)}))
    until(lambda: mark.exists() and mark.read_text() == "started", "the start of the call")
    talk.dialogue.cancel(request)
    until(lambda: mark.read_text() == "cancelled", "the server's word that it was cancelled")
    talk.json("echo")
    return "cancelled"


def capabilities(talk):
    """The server knows what this very client can be asked."""
    def told(meta=None):
        found = talk.json("whoami", meta=meta)["capabilities"] or {}
        return {key: found[key] for key in ("elicitation", "sampling", "roots") if key in found}

    same(told(), FULL, "what the server was told")
    if talk.modern:
        # On the same connection, in the next request, by a client that can do less.
        less = {"elicitation": {"form": {}}}
        same(told({CAPABILITIES: less}), less, "of a client that can do less")
        same(told({CAPABILITIES: {}}), {}, "of a client that can nothing")
    return FULL


def error(talk):
    """An error of the server: its code, message and data."""
    try:
        result = talk.call("fail")
    except rpc.RpcError as refusal:
        need(not talk.broker, f"an error that the model does not see: {refusal}")
        same(refusal.error, {"code": -31999, "message": "out of malt", "data": {"left": 0}}, "error")
        return "out of malt"
    need(talk.broker and result.get("isError"), f"not an error: {json.dumps(result)[:300]}")
    words = talk.words(result)
    for part in ("-31999", "out of malt", '"left":0'):
        need(part in words.replace(": ", ":"), f"no {part} in {words!r}")
    return "out of malt"


def tool_error(talk):
    """A result that says it is an error."""
    result = talk.call("broken")
    same(result.get("isError"), True, "isError")
    same(talk.words(result), "the oven is cold", "words")
    return talk.words(result)


def unknown(talk):
    """Codes of the protocol: a tool, a resource and a method that nobody knows."""
    seen = []
    wanted = [("resources/read", {"uri": talk.uri("bench://nowhere")}, -32602), ("bench/nothing", {}, -32601)]
    if not talk.broker:
        wanted.append(("tools/call", {"name": "nothing", "arguments": {}}, -32602))
    for method, params, code in wanted:
        try:
            need(False, f"{method}: {talk.dialogue.request(method, params)}")
        except rpc.RpcError as refusal:
            same(refusal.error["code"], code, f"code of {method}")
            seen.append(code)
    return seen[:2]


def tools_changed(talk):
    """A list of tools that changes: the client is told. Behind the meta-tools it hears nothing of it: those never change."""
    if talk.broker:
        with talk.watching(tools=True):
            mark = talk.mark()
            for there in (True, False):
                talk.call("change_tools", {"there": there})
            same(talk.since(mark, "notifications/tools/list_changed"), [], "changes of tools that never change")
        return None
    with talk.watching(tools=True) as hear:
        for there in (True, False):
            mark = talk.mark()
            talk.call("change_tools", {"there": there})
            hear(mark, "notifications/tools/list_changed")
            names = [tool["name"] for tool in talk.dialogue.tools()]
            same("late" in names, there, "the tool is listed")
    return "told"


def resources_changed(talk):
    """A list of resources that changes."""
    with talk.watching(resources=True) as hear:
        for there in (True, False):
            mark = talk.mark()
            talk.call("change_resources", {"there": there})
            hear(mark, "notifications/resources/list_changed")
            uris = [each["uri"] for each in talk.dialogue.request("resources/list")["resources"]]
            same(talk.uri("bench://late") in uris, there, "the resource is listed")
    return "told"


def subscription(talk):
    """A resource that is watched, and not watched any more."""
    uri = talk.uri(COUNTER)
    with talk.watching([uri]) as hear:
        for _ in range(2):
            mark = talk.mark()
            talk.call("touch")
            hear(mark, "notifications/resources/updated", lambda params: params.get("uri") == uri)
    return "told"


def completion(talk):
    """An argument of a prompt, and of a template of resources."""
    seen = []
    for ref in ({"type": "ref/prompt", "name": talk.prompt("order")},
                {"type": "ref/resource", "uri": talk.uri("bench://shelf/{flavour}")}):
        params = {"ref": ref, "argument": {"name": "flavour", "value": "m"}}
        result = talk.dialogue.request("completion/complete", params)
        talk.shape(result)
        seen.append(result["completion"])
    same(seen[0], {"values": ["malt", "mango", "mint"], "total": 3, "hasMore": False}, "completion")
    return seen


def ping(talk):
    """There is `ping` in one era, and none in the other."""
    if not talk.modern:
        same(talk.dialogue.request("ping"), {}, "answer")
        return "pong"
    try:
        need(False, f"answered {talk.dialogue.request('ping')}")
    except rpc.RpcError as refusal:
        same(refusal.error["code"], -32601, "code")
    return "pong"


def lists(talk):
    """The four lists, and how long they may be kept: as far as the server says itself, which it does once it runs."""
    before = talk.dialogue.request("tools/list")
    talk.cached(before)
    talk.call("echo")
    names = []
    for method, key, name in LISTS:
        result = talk.dialogue.request(method)
        talk.shape(result)
        kept = talk.cached(result)
        if talk.modern and not talk.broker and talk.server.era == rpc.MODERN:
            same(kept, CACHING, f"caching of {method}")
        names.append({each[name] for each in result[key]})
    need({talk.prompt("order"), talk.prompt("interview")} <= names[1], f"prompts: {sorted(names[1])[:20]}")
    need(talk.uri(COUNTER) in names[2], f"resources: {sorted(names[2])[:20]}")
    need(talk.uri("bench://shelf/{flavour}") in names[3], f"templates: {sorted(names[3])[:20]}")
    if not talk.broker:
        need({"whole", "ask_form"} <= names[0], f"tools: {sorted(names[0])}")
        same(sorted(tool["name"] for tool in before["tools"]), sorted(names[0]), "tools before the server ran")
    return "listed"


def read(talk):
    """A resource is read, a prompt is got."""
    result = talk.dialogue.request("resources/read", {"uri": talk.uri(COUNTER)})
    talk.shape(result)
    talk.cached(result)
    same([each["text"] for each in result["contents"]], ["counted"], "contents")
    prompt = talk.dialogue.request("prompts/get", {"name": talk.prompt("order"), "arguments": {"flavour": "malt"}})
    talk.shape(prompt)
    same(prompt["messages"], [{"role": "user", "content": {"type": "text", "text": "One malt."}}], "messages")
    return prompt["messages"]


# In the order in which they run.
KINDS = (
    greeting, lists, read, whole, arguments, big_numbers, meta, form, url, sampling, roots, rounds, prompt_asks, progress,
    log_levels, log_later, cancellation, capabilities, error, tool_error, unknown, completion, ping, tools_changed,
    resources_changed, subscription,
)


def applies(kind, talk):
    """Whether a check can be made in this conversation."""
    if kind is log_later:
        return not talk.modern and talk.server.era == rpc.LEGACY
    if kind is resources_changed:
        # Behind the meta-tools all lists are those of the start.
        return not talk.broker
    if kind is big_numbers:
        # JavaScript rounds them itself.
        return not talk.server.name.startswith("typescript")
    return True
