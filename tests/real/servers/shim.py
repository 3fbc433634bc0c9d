"""Runs a server over stdio and writes down what it is asked: the method of each message, a line each, into a file.

    python3 shim.py LOG PROGRAM [ARG…]

A start is noted as `start`, so that the lines tell which process was asked what.
"""

import json
import os
import subprocess
import sys
import threading


def note(log, words):
    """One write for a line, so that two processes can share the file."""
    os.write(log, f"{words}\n".encode())


def main():
    path, *command = sys.argv[1:]
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    note(log, "start")
    server = subprocess.Popen(command, stdin=subprocess.PIPE)
    # Whoever waits for the server must see it end, also while this program waits for the next line.
    threading.Thread(target=lambda: os._exit(server.wait() & 0xFF), daemon=True).start()
    for line in sys.stdin.buffer:
        try:
            note(log, json.loads(line).get("method", "answer"))
        except ValueError:
            note(log, "noise")
        try:
            server.stdin.write(line)
            server.stdin.flush()
        except BrokenPipeError:
            break
    try:
        server.stdin.close()
    except BrokenPipeError:
        pass
    return server.wait()


if __name__ == "__main__":
    sys.exit(main())
