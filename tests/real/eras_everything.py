"""The kinds of traffic on the reference server."""
KINDS = ()
def applies(kind, talk):
    return True
