"""What is known not to work, with the reason: patterns of `(kind, client, door, server)`, as file names are matched.

A failure that is listed here is none; an entry under which nothing fails any more is one, so that the list stays true.
"""

import fnmatch

NOT_SUPPORTED = {}


def reason(cell, used):
    """Why a cell may fail, if it may; notes the entry as used."""
    for pattern, words in NOT_SUPPORTED.items():
        if all(fnmatch.fnmatchcase(part, wanted) for part, wanted in zip(cell, pattern, strict=True)):
            used.add(pattern)
            return words
    return None


def stale(cells, used):
    """The entries whose cells were all made and all work."""
    for pattern in used:
        covered = [problem for cell, problem in cells.items()
                   if all(fnmatch.fnmatchcase(part, wanted) for part, wanted in zip(cell, pattern, strict=True))]
        if covered and not any(covered):
            yield pattern
