"""A scripted stand-in for a model's Messages endpoint, on loopback: plays given tool calls and records every request.

Serves `POST /v1/messages` as a stream of events, as the real endpoint does. The first turn that offers the scripted
tools plays the script, one tool call per turn, then a closing text; every other request (titles, summaries) gets that
text at once. Knows nothing of toolcrib.
"""

import http.server
import json
import threading

CLOSING_WORDS = "The script is over."
MAX_REQUEST_BYTES = 32 << 20


class MessagesApi:
    """The endpoint while it runs; `turns` holds the requests of the scripted conversation, oldest first."""

    def __init__(self, script):
        self.script = script
        self.turns = []
        self.others = []
        api = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_HEAD(self):
                self.reply(200, "application/json", b"")

            def do_GET(self):
                self.reply(404, "application/json", b"{}")

            def do_POST(self):
                length = int(self.headers.get("content-length", 0))
                if length > MAX_REQUEST_BYTES:
                    self.reply(413, "application/json", b"{}")
                    return
                body = json.loads(self.rfile.read(length) or b"{}")
                path = self.path.split("?")[0]
                if path == "/v1/messages/count_tokens":
                    self.reply(200, "application/json", b'{"input_tokens": 1}')
                elif path == "/v1/messages":
                    self.reply(*api.answer(body))
                else:
                    self.reply(404, "application/json", b"{}")

            def reply(self, status, kind, body):
                self.send_response(status)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def answer(self, body):
        """Status, content type and body of the answer to one Messages request."""
        offered = {tool.get("name") for tool in body.get("tools", [])}
        step = len(tool_results(body))
        if offered >= {name for name, _ in self.script}:
            self.turns.append(body)
        else:
            self.others.append(body)
            step = len(self.script)
        if step < len(self.script):
            name, arguments = self.script[step]
            block = {"type": "tool_use", "id": f"toolu_{step:04}", "name": name, "input": {}}
            delta = {"type": "input_json_delta", "partial_json": json.dumps(arguments)}
            reason = "tool_use"
        else:
            block = {"type": "text", "text": ""}
            delta = {"type": "text_delta", "text": CLOSING_WORDS}
            reason = "end_turn"
        if not body.get("stream"):
            whole = {**block, "text": CLOSING_WORDS} if reason == "end_turn" else {**block, "input": arguments}
            return 200, "application/json", json.dumps(message([whole], reason)).encode()
        return 200, "text/event-stream", events(block, delta, reason)


def message(content, reason):
    """The envelope of an answer."""
    return {"id": "msg_script", "type": "message", "role": "assistant", "model": "scripted", "content": content,
            "stop_reason": reason, "stop_sequence": None, "usage": {"input_tokens": 1, "output_tokens": 1}}


def events(block, delta, reason):
    """One content block as the stream of events that carries it."""
    stream = [
        ("message_start", {"message": message([], None)}),
        ("content_block_start", {"index": 0, "content_block": block}),
        ("content_block_delta", {"index": 0, "delta": delta}),
        ("content_block_stop", {"index": 0}),
        ("message_delta", {"delta": {"stop_reason": reason, "stop_sequence": None}, "usage": {"output_tokens": 1}}),
        ("message_stop", {}),
    ]
    return "".join(f"event: {kind}\ndata: {json.dumps({'type': kind, **data})}\n\n" for kind, data in stream).encode()


def tool_results(body):
    """The texts of all tool results in a request, oldest first."""
    found = []
    for turn in body.get("messages", []):
        if not isinstance(turn.get("content"), list):
            continue
        for block in turn["content"]:
            if block.get("type") == "tool_result":
                content = block.get("content", "")
                if isinstance(content, list):
                    content = "".join(part.get("text", "") for part in content)
                found.append(content)
    return found


def everything_said(body):
    """All text of a request beside its tool definitions: what the model reads."""
    def texts(value):
        if isinstance(value, str):
            yield value
        elif isinstance(value, list):
            for item in value:
                yield from texts(item)
        elif isinstance(value, dict):
            yield from texts(value.get("text", ""))
            yield from texts(value.get("content", ""))

    return "\n".join([*texts(body.get("system", "")), *texts(body.get("messages", []))])
