"""Calls tools as the official client does: what to call comes on standard input, what was answered goes to standard output."""

import asyncio
import json
import sys

import httpx2
from mcp import Client, StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client


def transport(wanted):
    if "url" in wanted:
        headers = {"Authorization": f"Bearer {wanted['key']}"}
        return streamable_http_client(wanted["url"], http_client=httpx2.AsyncClient(headers=headers))
    env = {"BILLSTACK_API_KEY": wanted["key"]}
    return stdio_client(StdioServerParameters(command=wanted["command"], args=wanted["args"], env=env))


async def main():
    wanted = json.load(sys.stdin)
    async with Client(transport(wanted), mode=wanted["mode"]) as client:
        tools = (await client.list_tools()).tools
        answers = []
        for name, arguments in wanted["calls"]:
            result = await client.call_tool(name, arguments)
            answers.append({
                "isError": bool(result.is_error),
                "structured": result.structured_content,
                "texts": [block.text for block in result.content],
            })
        told = {
            "instructions": client.instructions,
            "tools": [tool.model_dump(by_alias=True, exclude_none=True) for tool in tools],
            "answers": answers,
        }
        print(json.dumps(told))


# A call that is never answered must not keep anybody waiting.
asyncio.run(asyncio.wait_for(main(), 60))
