"""The kinds of traffic on the reference server, which speaks the older era only and does some things in its own way.

As in `eras_kinds.py`: a check returns what was seen and raises what was wrong.
"""

import json

import rpc
from eras_kinds import greeting
from eras_talk import LISTS, ROOTS, SAMPLED, need, same

SUBSCRIBED = "demo://resource/static/document/features.md"
LINK = {"url": "https://bench.example/sign-in", "message": "Sign in, please.", "elicitationId": "sign-in-1"}


def lists(talk):
    """The four lists."""
    names = []
    for method, key, name in LISTS:
        result = talk.dialogue.request(method)
        talk.shape(result)
        talk.cached(result)
        names.append({each[name] for each in result[key]})
    need(talk.prompt("completable-prompt") in names[1], f"prompts: {sorted(names[1])[:20]}")
    need(talk.uri(SUBSCRIBED) in names[2], f"resources: {sorted(names[2])[:20]}")
    need(talk.uri("demo://resource/dynamic/text/{resourceId}") in names[3], f"templates: {sorted(names[3])[:20]}")
    return "listed"


def read(talk):
    """A document and a prompt."""
    result = talk.dialogue.request("resources/read", {"uri": talk.uri(SUBSCRIBED)})
    talk.shape(result)
    talk.cached(result)
    prompt = {"name": talk.prompt("args-prompt"), "arguments": {"city": "Ulm"}}
    messages = talk.dialogue.request("prompts/get", prompt)["messages"]
    return [result["contents"][0]["text"][:200], messages]


def whole(talk):
    """Text, an image, annotations, links, structure."""
    seen = []
    calls = {
        "echo": {"message": "Grüße"},
        "get-annotated-message": {"messageType": "success", "includeImage": True},
        "get-structured-content": {"location": "Chicago"},
        "get-resource-links": {"count": 2},
        "get-sum": {"a": 1, "b": 2},
    }
    for tool, arguments in calls.items():
        result = dict(talk.call(tool, arguments))
        result.pop("resultType", None)
        if not result.get("isError"):
            result.pop("isError", None)
        seen.append(result)
    return seen


def form(talk):
    """A form with every sort of field."""
    with talk.person.says(content={"name": "Ada", "integer": 7}) as asked:
        result = talk.call("trigger-elicitation-request")
    same([method for method, _ in asked], ["elicitation/create"], "questions")
    need("- Name: Ada" in talk.words(result) and "- Favorite Integer: 7" in talk.words(result), talk.words(result)[:300])
    # Written out, so that the order of fields counts too.
    return [asked[0][1]["message"], json.dumps(asked[0][1]["requestedSchema"])]


def url(talk):
    """A question that sends the person to an address."""
    with talk.person.says() as asked:
        result = talk.call("trigger-url-elicitation", LINK)
    same([params["url"] for _, params in asked], [LINK["url"]], "addresses")
    need("User completed" in talk.words(result), talk.words(result)[:300])
    return result["content"]


def url_required(talk):
    """The error that means "visit this address first, then call again"."""
    visited = []
    with talk.person.says() as asked:
        try:
            result = talk.call("trigger-url-elicitation", {**LINK, "errorPath": True})
        except rpc.RpcError as refusal:
            need(not talk.modern and not talk.broker, f"an error that nobody acts on: {refusal}")
            same(refusal.error["code"], -32042, "code")
            visited = [each["url"] for each in refusal.error["data"]["elicitations"]]
            result = talk.call("trigger-url-elicitation", {**LINK, "errorPath": True})
        visited += [params["url"] for _, params in asked]
    same(visited, ["https://modelcontextprotocol.io", LINK["url"]], "addresses")
    need("User completed" in talk.words(result), talk.words(result)[:300])
    return result["content"]


def sampling(talk):
    """A question to the client's model."""
    with talk.person.says() as asked:
        result = talk.call("trigger-sampling-request", {"prompt": "a flavour", "maxTokens": 20})
    same([method for method, _ in asked], ["sampling/createMessage"], "questions")
    params = {key: value for key, value in asked[0][1].items() if key != "_meta"}
    same(params["temperature"], 0.7, "temperature")
    need(json.dumps(SAMPLED["content"]["text"]) in talk.words(result), talk.words(result)[:300])
    return params


def roots(talk):
    """The client's roots, for which this server asks outside of any call, soon after the start, and once only."""
    words = talk.words(talk.call("get-roots-list"))
    need(ROOTS["roots"][0]["uri"] in words, words[:200])
    return "kitchen"


def progress(talk):
    """Progress under the client's own token, in order, before the result."""
    mark = talk.mark()
    arguments = {"duration": 0.3, "steps": 3}
    talk.call("trigger-long-running-operation", arguments, meta={"progressToken": 7_000_000_001})
    seen = talk.since(mark, "notifications/progress")
    steps = [[params["progressToken"], params["progress"], params["total"]] for params in seen]
    same(steps, [[7_000_000_001, step, 3] for step in (1, 2, 3)], "steps")
    return steps


def subscription(talk):
    """A resource that is watched."""
    uri = talk.uri(SUBSCRIBED)
    with talk.watching([uri]) as hear:
        mark = talk.mark()
        talk.call("toggle-subscriber-updates")
        try:
            hear(mark, "notifications/resources/updated", lambda params: params.get("uri") == uri)
        finally:
            talk.call("toggle-subscriber-updates")
    return "told"


def resources_changed(talk):
    """A resource that is new."""
    name = f"{talk.scratch().name}.gz"
    with talk.watching(resources=True) as hear:
        mark = talk.mark()
        talk.call("gzip-file-as-resource", {"name": name, "data": "data:text/plain,malt", "outputType": "resourceLink"})
        hear(mark, "notifications/resources/list_changed")
        uris = [each["uri"] for each in talk.dialogue.request("resources/list")["resources"]]
        need(talk.uri(f"demo://resource/session/{name}") in uris, f"not listed: {uris[-3:]}")
    return "told"


def completion(talk):
    """Arguments of a prompt, one of which depends on the other, and of a template."""
    seen = []
    prompt = {"type": "ref/prompt", "name": talk.prompt("completable-prompt")}
    template = {"type": "ref/resource", "uri": talk.uri("demo://resource/dynamic/text/{resourceId}")}
    for ref, argument, context in ((prompt, {"name": "department", "value": "S"}, {}),
                                   (prompt, {"name": "name", "value": "E"}, {"department": "Sales"}),
                                   (template, {"name": "resourceId", "value": "7"}, {})):
        params = {"ref": ref, "argument": argument, "context": {"arguments": context}}
        result = talk.dialogue.request("completion/complete", params)
        talk.shape(result)
        seen.append(result["completion"]["values"])
    same(seen, [["Sales", "Support"], ["Eve"], ["7"]], "values")
    return seen


def unknown(talk):
    """A resource that is not there, and a tool that takes other arguments."""
    try:
        uri = talk.uri("demo://resource/dynamic/text/none")
        need(False, f"answered {talk.dialogue.request('resources/read', {'uri': uri})}")
    except rpc.RpcError as refusal:
        result = talk.call("get-sum", {"a": "one", "b": 2})
        same(result.get("isError"), True, "isError")
        return [refusal.error["code"], refusal.error["message"]]


def ping(talk):
    """There is `ping` in the older era."""
    same(talk.dialogue.request("ping"), {}, "answer")
    return "pong"


# In the order in which they run.
KINDS = (
    greeting, lists, read, whole, form, url, url_required, sampling, roots, progress, completion, unknown,
    ping, subscription, resources_changed,
)


def applies(kind, talk):
    """Whether a check can be made in this conversation."""
    if kind is resources_changed:
        # Behind the meta-tools all lists are those of the start.
        return not talk.broker
    return not (talk.modern and kind is ping)
