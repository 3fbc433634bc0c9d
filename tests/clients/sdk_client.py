"""Runs inside the clients' virtual environment: one Python SDK session, what it saw as JSON on stdout.

    python sdk_client.py MODE CALLS_JSON PROGRAM [ARG…]
    python sdk_client.py MODE CALLS_JSON URL TOKEN
"""

import asyncio
import json
import sys

from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import create_mcp_http_client, streamable_http_client


def server(program, args):
    """A program to start, or one that serves already."""
    if program.startswith("http://"):
        headers = {"Authorization": f"Bearer {args[0]}"}
        return streamable_http_client(program, http_client=create_mcp_http_client(headers=headers))
    return StdioServerParameters(command=program, args=args)


async def converse(mode, calls, program, args):
    """Lists the tools and makes the calls, validated by the SDK as it validates for its users."""
    async with Client(server(program, args), mode=mode) as client:
        tools = [tool.name for tool in (await client.list_tools()).tools]
        results = []
        for name, arguments in calls:
            result = await client.call_tool(name, arguments)
            results.append("".join(getattr(block, "text", "") for block in result.content))
        return {"protocol": client.protocol_version, "tools": tools, "results": results}


if __name__ == "__main__":
    mode, calls, program, *args = sys.argv[1:]
    print(json.dumps(asyncio.run(converse(mode, json.loads(calls), program, args))))
