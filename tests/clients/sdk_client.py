"""Runs inside the clients' virtual environment: one Python SDK session, what it saw as JSON on stdout.

    python sdk_client.py MODE CALLS_JSON PROGRAM [ARG…]
"""

import asyncio
import json
import sys

from mcp import Client, StdioServerParameters


async def converse(mode, calls, program, args):
    """Lists the tools and makes the calls, validated by the SDK as it validates for its users."""
    async with Client(StdioServerParameters(command=program, args=args), mode=mode) as client:
        tools = [tool.name for tool in (await client.list_tools()).tools]
        results = []
        for name, arguments in calls:
            result = await client.call_tool(name, arguments)
            results.append("".join(getattr(block, "text", "") for block in result.content))
        return {"protocol": client.protocol_version, "tools": tools, "results": results}


if __name__ == "__main__":
    mode, calls, program, *args = sys.argv[1:]
    print(json.dumps(asyncio.run(converse(mode, json.loads(calls), program, args))))
