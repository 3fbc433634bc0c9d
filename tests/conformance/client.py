#!/usr/bin/env python3
"""The client that the suite's client scenarios test: toolcrib, driven over stdio, with the scenario's server behind it.

    client.py --toolcrib PROGRAM --mode broker|passthrough --era legacy|modern URL

The suite starts it, adds the URL, and names the scenario in MCP_CONFORMANCE_SCENARIO. `broker` goes through the
meta-tools, `passthrough` through the server's own names; `era` is that of the client in front of toolcrib, so that each
scenario is seen from both. What was said is printed, for whoever looks why a check failed.
"""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "real"))

import rpc  # noqa: E402  the shared helpers must be found first

SERVER = "peer"
STEP_S = 10
# Less than the suite gives, so that toolcrib is always ended by whoever started it.
ALL_S = 18
CAPABILITIES = {"elicitation": {"form": {}}, "sampling": {}, "roots": {}}
# The scenario that wants a tool's own schema back: a pinned tool is advertised with it.
FOCAL, ECHO = "json_schema_2020_12_tool", "json_schema_echo"


class Wrong(Exception):
    """toolcrib did not do what the scenario needs."""


def defaults(schema):
    """The answer of a person who accepts a form as it stands."""
    values = {}
    for name, wanted in schema.get("properties", {}).items():
        if "default" in wanted:
            values[name] = wanted["default"]
        elif wanted.get("type") == "boolean":
            values[name] = True
    return values


def answer_to(question):
    """What this client's person, model and workspace say."""
    if question["method"] == "elicitation/create":
        return {"action": "accept", "content": defaults(question["params"].get("requestedSchema", {}))}
    if question["method"] == "sampling/createMessage":
        said = {"type": "text", "text": "Paris."}
        return {"role": "assistant", "content": said, "model": "none", "stopReason": "endTurn"}
    return {"roots": [{"uri": "file:///work", "name": "work"}]}


def too_late(*_):
    raise Wrong(f"not done within {ALL_S} s")


class Client(rpc.Peer):
    """A client of either era that answers what it is asked."""

    # A tool to call while a question is open, and what came of it.
    meanwhile = None

    def __init__(self, *command, **options):
        super().__init__(*command, capabilities=CAPABILITIES, answer=self.say, **options)

    def request(self, method, params=None, deadline=STEP_S):
        result = super().request(method, params, deadline)
        print(json.dumps({"sent": method, "params": params, "result": result}), flush=True)
        return result

    def say(self, method, params):
        if self.meanwhile:
            self._send({"id": "meanwhile", "method": "tools/call", "params": self.meanwhile})
        return answer_to({"method": method, "params": params})

    def complete(self, method, params):
        """The complete result of a request, with every question on the way answered."""
        result = self.request(method, params)
        for _ in range(10):
            if result.get("resultType") != "input_required":
                break
            if self.meanwhile:
                self.request("tools/call", self.meanwhile)
                self.meanwhile = None
            answers = {key: answer_to(one) for key, one in result.get("inputRequests", {}).items()}
            state = {"requestState": result["requestState"]} if "requestState" in result else {}
            result = self.request(method, {**params, "inputResponses": answers, **state})
        if self.meanwhile:
            self.wait_for_meanwhile()
        return result

    def wait_for_meanwhile(self):
        """In the handshake era that call went out while the question was open."""
        self.meanwhile = None
        try:
            self._wait(lambda: "meanwhile" in self.replies, STEP_S, "a call made while a question was open")
        except rpc.NoAnswer as problem:
            raise Wrong(str(problem)) from None


class Front:
    """What stands before the server: the meta-tools, or the server's own names."""

    def __init__(self, client, mode):
        self.client = client
        self.broker = mode == "broker"

    def tools(self):
        """The names of the tools as a client finds them."""
        if not self.broker:
            return [tool["name"] for tool in self.client.tools()]
        said = self.client.complete("tools/call", self.meta("search_tools", {"query": "", "server": SERVER, "limit": 20}))
        text = "\n".join(block.get("text", "") for block in said["content"])
        return re.findall(rf"^{SERVER}/([^\s(]+)", text, re.MULTILINE)

    def schema(self, tool):
        """The input schema of a tool as a client gets it."""
        for one in self.client.tools():
            if one["name"] in (tool, f"{SERVER}_{tool}"):
                return one["inputSchema"]
        raise Wrong(f"{tool} is not advertised")

    def describe(self, tool):
        if self.broker:
            self.client.complete("tools/call", self.meta("describe_tool", {"tools": [f"{SERVER}/{tool}"]}))
        else:
            self.schema(tool)

    def meta(self, name, arguments):
        return {"name": name, "arguments": arguments}

    def to_call(self, tool, arguments):
        if self.broker:
            return self.meta("call_tool", {"tool": f"{SERVER}/{tool}", "arguments": arguments})
        return self.meta(tool, arguments)

    def call(self, tool, arguments=None, expect=None):
        """Calls a tool; fails where the text of its result does not hold what is expected."""
        try:
            result = self.client.complete("tools/call", self.to_call(tool, arguments or {}))
        except rpc.RpcError as problem:
            result = {"error": problem.error}
        if expect and expect not in json.dumps(result):
            raise Wrong(f"{tool}: no {expect!r} in {json.dumps(result)[:600]}")
        return result

    def prompt(self, name):
        return self.client.complete("prompts/get", {"name": f"{SERVER}/{name}" if self.broker else name})

    def resource(self, uri):
        return self.client.complete("resources/read", {"uri": f"crib://{SERVER}/{uri}" if self.broker else uri})


def headers(front):
    """Every method that has a header of its own."""
    for tool in ("test_headers", "my-hyphenated-tool"):
        front.call(tool, expect="Headers test completed")
    front.client.complete("resources/list", {})
    front.resource("file:///path/to/file%20name.txt")
    front.client.complete("prompts/list", {})
    front.prompt("test_prompt")


def parameters(front):
    """The calls that the scenario asks for; one has a null where its schema has none."""
    for call in json.loads(os.environ["MCP_CONFORMANCE_CONTEXT"])["toolCalls"]:
        front.call(call["name"], call["arguments"], expect="Custom headers test completed")


def invalid_headers(front):
    """Calls every tool that is found, as a client would that trusts what it is shown."""
    found = front.tools()
    if "valid_tool" not in found:
        raise Wrong(f"valid_tool is not among {found}")
    # Whatever a tool of that scenario requires, so that nothing but its headers can stand in the way.
    arguments = dict.fromkeys(("region", "value", "field1", "field2"), "x")
    arguments |= {"data": {}, "items": ["x"], "nil": None, "score": 1.5}
    for tool in found:
        front.call(tool, arguments)


def rounds(front):
    """Results that ask first, with another call between the question and the answer."""
    front.client.meanwhile = front.to_call("test_mrtr_unrelated", {})
    front.call("test_mrtr_echo_state", expect="echo-state-ok")
    front.call("test_mrtr_no_state", expect="no-state-ok")
    front.call("test_mrtr_no_result_type", expect="no-result-type-test-ok")


def far_reference(front):
    """Finds, describes and calls a tool whose schema refers to another address; the call has no handler there."""
    if front.tools() != ["lookup_user"]:
        raise Wrong(f"found {front.tools()}")
    front.describe("lookup_user")
    front.call("lookup_user", {"id": "a-1", "profile": {"displayName": "A"}})


SCENARIOS = {
    "initialize": lambda front: front.tools(),
    "tools_call": lambda front: front.call("add_numbers", {"a": 5, "b": 3}, expect="The sum of 5 and 3 is 8"),
    "elicitation-sep1034-client-defaults": lambda front: front.call(
        "test_client_elicitation_defaults", expect="Elicitation completed"
    ),
    "sse-retry": lambda front: front.call("test_reconnection", expect="Reconnection test completed successfully"),
    "request-metadata": lambda front: front.tools(),
    "sep-2322-client-request-state": rounds,
    "http-standard-headers": headers,
    "http-custom-headers": parameters,
    "http-invalid-tool-headers": invalid_headers,
    "json-schema-ref-no-deref": far_reference,
    "json-schema-2020-12-preservation": lambda front: front.call(
        ECHO, {"schema": front.schema(FOCAL)}, expect="echoed"
    ),
}


def configuration(folder, url, scenario):
    """The configuration of a toolcrib that knows this one server."""
    path = folder / "toolcrib.toml"
    pins = [f"{SERVER}/{FOCAL}"] if scenario == "json-schema-2020-12-preservation" else []
    path.write_text(f"[servers.{SERVER}]\nurl = {json.dumps(url)}\n\n[context]\npin = {json.dumps(pins)}\n")
    return ["--config", str(path), "--data-dir", str(folder / "data")]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--toolcrib", required=True)
    parser.add_argument("--mode", choices=("broker", "passthrough"), default="broker")
    parser.add_argument("--era", choices=("legacy", "modern"), default="legacy")
    parser.add_argument("url")
    args = parser.parse_args()
    scenario = os.environ.get("MCP_CONFORMANCE_SCENARIO", "")
    if scenario not in SCENARIOS:
        parser.error(f"nothing is known of the scenario {scenario!r}")
    signal.signal(signal.SIGALRM, too_late)
    signal.alarm(ALL_S)
    with tempfile.TemporaryDirectory(prefix="toolcrib-client-") as scratch:
        options = configuration(Path(scratch), args.url, scenario)
        done = subprocess.run([args.toolcrib, "reindex", *options], capture_output=True, text=True, timeout=STEP_S)
        print(done.stdout + done.stderr, flush=True)
        command = ["serve", *options, "--no-refresh"]
        if args.mode == "passthrough":
            command += ["--passthrough", SERVER]
        era = rpc.MODERN if args.era == "modern" else rpc.LEGACY
        with Client(args.toolcrib, command, era=era, grace=3.0) as client:
            try:
                client.start()
                SCENARIOS[scenario](Front(client, args.mode))
            except (Wrong, rpc.NoAnswer, rpc.RpcError) as problem:
                print(f"{type(problem).__name__}: {problem}\ntoolcrib said: {client.stderr()}", file=sys.stderr)
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
