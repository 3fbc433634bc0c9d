"""Draws what a command printed as a terminal picture: `toolcrib demo | python3 docs/picture.py > docs/demo.svg`."""

import html
import sys

COLUMNS = 118
ROWS = 44
SIZE = 12.5
LINE = 17
ADVANCE = 7.53  # of one character of a monospaced face at this size


def colour(line):
    """The colour of a line by what it is: our words, what the model wrote, what it read, what it cost."""
    text = line.strip()
    if text.startswith(">"):
        return "#7ee787"
    if text.startswith("="):
        return "#ffa657"
    if text.startswith("|"):
        return "#c9d1d9"
    return "#79c0ff"


def main():
    lines = []
    for line in sys.stdin.read().splitlines():
        cut = line if len(line) <= COLUMNS else line[: COLUMNS - 1] + "…"
        lines.append((cut, colour(line)))
    lines = lines[:ROWS]
    width = int(COLUMNS * ADVANCE) + 40
    height = len(lines) * LINE + 76
    print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-label="toolcrib demo">')
    print(f'<rect width="{width}" height="{height}" rx="10" fill="#0d1117"/>')
    for at, fill in enumerate(("#ff5f57", "#febc2e", "#28c840")):
        print(f'<circle cx="{22 + at * 20}" cy="20" r="6" fill="{fill}"/>')
    print(f'<g font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,monospace" font-size="{SIZE}" xml:space="preserve">')
    print(f'<text x="20" y="54" fill="#8b949e">$ toolcrib demo</text>')
    for at, (line, fill) in enumerate(lines):
        print(f'<text x="20" y="{54 + (at + 1) * LINE}" fill="{fill}">{html.escape(line)}</text>')
    print("</g></svg>")


main()
