"""The kinds of traffic that need a conversation of their own: with a client that can be asked nothing, one that leaves, and
an old one. As in `eras_kinds.py`: a check returns what was seen and raises what was wrong.
"""

import rpc
from eras_kinds import greeting, whole
from eras_talk import FULL, need, same, until


def oldest(talk):
    """A client of the first version there was."""
    greeting(talk)
    return whole(talk)


def bare(talk):
    """A client that can be asked nothing: the server knows, and a tool that would ask fails at once."""
    same(talk.json("whoami")["capabilities"] or {}, {}, "what the server was told")
    try:
        result = talk.call("ask_form")
        same(result.get("isError"), True, "isError")
    except rpc.RpcError:
        pass  # the same, said by the protocol
    # Not every server looks; who stands between does.
    need(talk.door == "direct" or not talk.person.asked, f"asked all the same: {talk.person.asked}")
    return "refused"


def hang_up(talk):
    """A client that leaves in the middle of a call: the server is told, or ended."""
    mark = talk.scratch()
    talk.dialogue.begin("tools/call", talk.params("hang", {"file": str(mark)}))
    until(lambda: mark.exists() and mark.read_text() == "started", "the start of the call")
    talk.dialogue.close()
    until(lambda: mark.read_text() == "cancelled", "the server's word that it was cancelled")
    return "cancelled"


# Each with the client that it needs.
ALONE = (
    (bare, {"capabilities": {}}),
    (hang_up, {"capabilities": FULL}),
    (oldest, {"capabilities": {"roots": {}}, "version": "2024-11-05"}),
)


def applies(kind, talk):
    """Whether a check can be made in this conversation."""
    if kind is oldest:
        return not talk.modern
    # A server that ends with its input has nobody left to write anything down.
    return kind is not hang_up or talk.server.transport != "stdio" or talk.server.name.startswith("python")
