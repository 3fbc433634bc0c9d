#!/usr/bin/env python3
"""Answers as one captured server of the shared catalog did, without running it: `replay_server.py FILE`.

Lists come verbatim from the capture; a call answers with its own arguments. Handshake era only, as nearly all of the
captured servers. No imports beside json and sys: a hundred of these start during one measurement.
"""

import json
import sys

LISTS = {
    "tools/list": "tools",
    "prompts/list": "prompts",
    "resources/list": "resources",
    "resources/templates/list": "resourceTemplates",
}


def answer(captured, method, params):
    """The result of one request, or nothing where the method is not known."""
    server = captured["server"]
    if method == "initialize":
        result = {key: server[key] for key in ("protocolVersion", "capabilities", "serverInfo")}
        if server.get("instructions"):
            result["instructions"] = server["instructions"]
        return result
    if method in LISTS:
        return {LISTS[method]: captured.get(LISTS[method], [])}
    if method == "tools/call":
        return {"content": [{"type": "text", "text": json.dumps(params)}], "isError": False}
    return {} if method == "ping" else None


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        captured = json.load(file)
    for line in sys.stdin:
        request = json.loads(line)
        if "id" not in request or "method" not in request:
            continue
        reply = {"jsonrpc": "2.0", "id": request["id"]}
        result = answer(captured, request["method"], request.get("params", {}))
        if result is None:
            reply["error"] = {"code": -32601, "message": f"no method {request['method']}"}
        else:
            reply["result"] = result
        print(json.dumps(reply, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
