"""Makes a set for `toolcrib eval` of the captured catalog and its queries: tools.jsonl, servers.jsonl, queries.jsonl.

python3 tests/real/catalog_set.py --out DIR [--shared DIR]
"""

import argparse
import json
import os
from pathlib import Path


def lines(path, items):
    path.write_text("".join(json.dumps(item) + "\n" for item in items), encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--shared", type=Path, default=Path(os.environ.get("TOOLCRIB_SHARED", "../shared")))
    args = parser.parse_args()
    catalog = args.shared / "catalog"
    tools, servers = [], []
    for file in sorted((catalog / "servers").glob("*.json")):
        captured = json.loads(file.read_text(encoding="utf-8"))
        servers.append({"name": file.stem, "description": captured["server"].get("instructions") or ""})
        tools += [
            {
                "id": f"{file.stem}/{tool['name']}",
                "server": file.stem,
                "name": tool["name"],
                "title": tool.get("title") or (tool.get("annotations") or {}).get("title"),
                "description": tool.get("description"),
                "input_schema": tool.get("inputSchema"),
            }
            for tool in captured["tools"]
        ]
    queries = [json.loads(line) for line in (catalog / "queries-dev.jsonl").read_text(encoding="utf-8").splitlines()]
    args.out.mkdir(parents=True, exist_ok=True)
    lines(args.out / "tools.jsonl", tools)
    lines(args.out / "servers.jsonl", servers)
    lines(
        args.out / "queries.jsonl",
        [
            {"id": query["id"], "query": query["query"], "groups": [query["relevant"]], "tag": query["kind"]}
            for query in queries
        ],
    )


if __name__ == "__main__":
    main()
