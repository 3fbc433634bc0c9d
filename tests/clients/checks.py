"""One check per client: how it is pointed at toolcrib, and what it must have seen.

Each check gets a `Bench`, returns a few words for the report, and raises `Failed` otherwise. Every process has a
deadline and a home folder of its own; none inherits more than a PATH.
"""

import dataclasses
import json
import subprocess
from pathlib import Path

import common
import messages_api
import rpc

DEADLINE = 120
META_TOOLS = ["search_tools", "describe_tool", "call_tool"]
MESSAGE = "héllo from the workbench"
SEARCH = ("search_tools", {"query": "echo a message back"})
DESCRIBE = ("describe_tool", {"tools": ["everything/echo"]})
CALL = ("call_tool", {"tool": "everything/echo", "arguments": {"message": MESSAGE}})
SCRIPT = [SEARCH, DESCRIBE, CALL]
# What each reply of the script must hold, whatever the client made of it.
EXPECTED = ["everything/echo(", "everything/echo", f"Echo: {MESSAGE}"]


class Failed(Exception):
    """A client did not see what it should have."""


@dataclasses.dataclass
class Bench:
    """What every check works with: the clients' folder, scratch space, and toolcrib as seen without a client."""

    clients: Path
    scratch: Path
    command: list
    instructions: str
    tools: list
    record: Path | None
    url: str
    token: str
    over_http: bool = False

    def home(self, name):
        """A fresh home folder."""
        folder = self.scratch / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def run(self, home, argv, **variables):
        """Runs one client command to its end; its standard output."""
        done = subprocess.run(
            [str(part) for part in argv], cwd=home, env=self.env(home, **variables), capture_output=True, text=True,
            timeout=DEADLINE, stdin=subprocess.DEVNULL,
        )
        if done.returncode:
            raise Failed(f"{Path(argv[0]).name} ended with {done.returncode}: {(done.stdout + done.stderr).strip()[-1500:]}")
        return done.stdout

    def env(self, home, **variables):
        return {"PATH": f"{common.node_dir()}:/usr/local/bin:/usr/bin:/bin", "HOME": str(home), "LANG": "C.UTF-8",
                "NO_COLOR": "1", **{key: str(value) for key, value in variables.items()}}

    def npm(self, name):
        return self.clients / "npm" / "node_modules" / ".bin" / name

    def client_config(self, home):
        """toolcrib's one entry in the file format that clients share."""
        path = home / "client.json"
        entry = {"command": self.command[0], "args": self.command[1:]}
        if self.over_http:
            entry = {"type": "http", "url": self.url, "headers": {"Authorization": f"Bearer {self.token}"}}
        path.write_text(json.dumps({"mcpServers": {"toolcrib": entry}}))
        return path


def need(holds, words):
    if not holds:
        raise Failed(words)


def check_replies(replies):
    """The three replies of the script say what they must."""
    need(len(replies) == len(EXPECTED), f"{len(replies)} replies to {len(EXPECTED)} calls: {replies}")
    for (name, _), expected, reply in zip(SCRIPT, EXPECTED, replies, strict=True):
        need(expected in reply, f"{name} should answer with {expected!r}, was {reply[:600]!r}")


def check_names(names):
    need(names == META_TOOLS, f"listed tools are {names}")


def joined(result):
    """All text of a result as the wire has it."""
    return "".join(block.get("text", "") for block in result.get("content", []))


def claude_list(bench):
    """`claude mcp add` and `claude mcp list`: the health check a person sees."""
    home = bench.home("claude-list")
    how = ["toolcrib", "--", *bench.command]
    if bench.over_http:
        how = ["--transport", "http", "toolcrib", bench.url, "--header", f"Authorization: Bearer {bench.token}"]
    bench.run(home, [bench.npm("claude"), "mcp", "add", "-s", "user", *how])
    said = bench.run(home, [bench.npm("claude"), "mcp", "list"])
    line = next((line for line in said.splitlines() if line.startswith("toolcrib:")), said)
    need("Connected" in line, f"claude mcp list says: {line}")
    return "connected"


def claude_loop(bench):
    """The whole loop of Claude Code against a scripted model, and what that model was shown."""
    home = bench.home("claude-loop")
    script = [(f"mcp__toolcrib__{name}", arguments) for name, arguments in SCRIPT]
    with messages_api.MessagesApi(script) as api:
        said = json.loads(bench.run(
            home,
            [bench.npm("claude"), "-p", "Echo something.", "--mcp-config", bench.client_config(home),
             "--strict-mcp-config", "--allowedTools", ",".join(name for name, _ in script), "--output-format", "json"],
            ANTHROPIC_BASE_URL=api.url, ANTHROPIC_API_KEY="none", DISABLE_AUTOUPDATER=1,
            CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1,
        ))
    if bench.record:
        bench.record.write_text(json.dumps(api.turns, indent=1, ensure_ascii=False) + "\n")
    need(api.turns, "no request offered the three tools; they were deferred or missing")
    need(said.get("result") == messages_api.CLOSING_WORDS, f"claude ended with: {said.get('result')}")
    first = api.turns[0]
    need(not messages_api.tool_results(first), "the first request that offers the tools is not the first turn")
    shown = {tool["name"]: tool for tool in first["tools"]}
    for tool in bench.tools:
        seen = shown.get(f"mcp__toolcrib__{tool['name']}")
        need(seen is not None, f"the model was not shown {tool['name']}")
        need(not seen.get("defer_loading"), f"{tool['name']} is deferred")
        need(seen["description"] == tool["description"], f"description of {tool['name']} is not what toolcrib says: "
             f"{seen['description'][-200:]!r}")
        need(seen["input_schema"].get("properties") == tool["inputSchema"].get("properties"),
             f"parameters of {tool['name']} are not what toolcrib says")
    need(bench.instructions, "toolcrib has no instructions")
    need(bench.instructions.strip() in messages_api.everything_said(first), "instructions are missing or cut")
    check_replies(messages_api.tool_results(api.turns[-1]))
    return f"three tools and {len(bench.instructions)} characters of instructions in the first request, uncut"


def inspector(era):
    """The Inspector's command line in one protocol era, with its check that schemas are portable."""
    def check(bench):
        home = bench.home(f"inspector-{era}")
        base = [bench.npm("mcp-inspector"), "--cli", "--config", bench.client_config(home), "--server", "toolcrib",
                "--protocol-era", era]
        memory = {"MCP_INSPECTOR_SECRET_STORE": "memory"}
        listed = json.loads(bench.run(home, [*base, "--strict", "--method", "tools/list"], **memory))
        check_names([tool["name"] for tool in listed["tools"]])
        replies = []
        for name, arguments in SCRIPT:
            call = ["--method", "tools/call", "--tool-name", name, "--tool-args-json", json.dumps(arguments)]
            replies.append(joined(json.loads(bench.run(home, [*base, *call], **memory))))
        check_replies(replies)
        return "strict list, search, describe, call"
    return check


def python_sdk(mode, protocol):
    """The Python SDK, which validates every answer."""
    def check(bench):
        script = Path(__file__).resolve().parent / "sdk_client.py"
        python = bench.clients / "python" / "bin" / "python"
        home = bench.home(f"python-{mode}")
        server = [bench.url, bench.token] if bench.over_http else bench.command
        saw = json.loads(bench.run(home, [python, script, mode, json.dumps(SCRIPT), *server]))
        check_names(saw["tools"])
        check_replies(saw["results"])
        need(saw["protocol"] == protocol, f"spoke {saw['protocol']}, should be {protocol}")
        return f"spoke {saw['protocol']}"
    return check


def fastmcp(bench):
    """FastMCP's command line."""
    home = bench.home("fastmcp")
    base = bench.clients / "python" / "bin" / "fastmcp"
    server = ["--command", " ".join(bench.command), "--json"]
    listed = json.loads(bench.run(home, [base, "list", *server]))
    check_names([tool["name"] for tool in listed["tools"]])
    replies = []
    for name, arguments in SCRIPT:
        call = ["--target", name, "--input-json", json.dumps(arguments)]
        replies.append(joined(json.loads(bench.run(home, [base, "call", *server, *call]))))
    check_replies(replies)
    return "list, search, describe, call"


def codex(bench):
    """Codex's app-server: the status of its servers, and calls within a thread."""
    home = bench.home("codex")
    variables = {"CODEX_HOME": home, "TOOLCRIB_TOKEN": bench.token}
    how = ["--url", bench.url, "--bearer-token-env-var", "TOOLCRIB_TOKEN"] if bench.over_http else ["--", *bench.command]
    bench.run(home, [bench.npm("codex"), "mcp", "add", "toolcrib", *how], **variables)
    program = str(bench.npm("codex"))
    # It does not end with its input, so there is nothing to wait for.
    with rpc.Peer(program, ["app-server"], env=bench.env(home, **variables), cwd=home, grace=0.2) as server:
        server.request("initialize", {"clientInfo": rpc.CLIENT})
        server.notify("initialized")
        status = server.request("mcpServerStatus/list")["data"]
        ours = next((each for each in status if each["name"] == "toolcrib"), None)
        need(ours is not None, f"codex knows only {[each['name'] for each in status]}")
        need(sorted(ours["tools"]) == sorted(META_TOOLS), f"codex lists {sorted(ours['tools'])}")
        thread = server.request("thread/start")["thread"]["id"]
        replies = []
        for name, arguments in SCRIPT:
            call = {"threadId": thread, "server": "toolcrib", "tool": name, "arguments": arguments}
            replies.append(joined(server.request("mcpServer/tool/call", call)))
    check_replies(replies)
    return "status, search, describe, call"


def over_http(check):
    """The same check of a client that reaches a running toolcrib over HTTP."""
    return lambda bench: check(dataclasses.replace(bench, over_http=True, scratch=bench.home("http")))


ALL = {
    "claude-list": claude_list,
    "claude-loop": claude_loop,
    "inspector-legacy": inspector("legacy"),
    "inspector-modern": inspector("modern"),
    "python-auto": python_sdk("auto", rpc.MODERN),
    "python-legacy": python_sdk("legacy", rpc.LEGACY),
    "fastmcp": fastmcp,
    "codex": codex,
    "claude-list-http": over_http(claude_list),
    "claude-loop-http": over_http(claude_loop),
    "inspector-legacy-http": over_http(inspector("legacy")),
    "inspector-modern-http": over_http(inspector("modern")),
    "python-auto-http": over_http(python_sdk("auto", rpc.MODERN)),
    "python-legacy-http": over_http(python_sdk("legacy", rpc.LEGACY)),
    "codex-http": over_http(codex),
}
