-- What was used on each day, in counts and o200k_base tokens; never what was asked or answered. Days count from 1970 in UTC, so
-- that "the last 30 days" can be said and old ones dropped. A row without a tool is the server itself: its line at the start of
-- each conversation.
CREATE TABLE ledger (
    day INTEGER NOT NULL,
    server TEXT NOT NULL,
    tool TEXT NOT NULL,
    conversations INTEGER NOT NULL,
    start_tokens INTEGER NOT NULL,
    searches INTEGER NOT NULL,
    search_tokens INTEGER NOT NULL,
    describes INTEGER NOT NULL,
    describe_tokens INTEGER NOT NULL,
    calls INTEGER NOT NULL,
    errors INTEGER NOT NULL,
    used_in INTEGER NOT NULL,
    led_tokens INTEGER NOT NULL,
    sent_tokens INTEGER NOT NULL,
    result_tokens INTEGER NOT NULL,
    last_used INTEGER,
    PRIMARY KEY (day, server, tool)
) STRICT, WITHOUT ROWID;

-- Whole days: what belongs to no one server.
CREATE TABLE ledger_days (
    day INTEGER PRIMARY KEY,
    conversations INTEGER NOT NULL,
    start_tokens INTEGER NOT NULL,
    searches INTEGER NOT NULL,
    without_match INTEGER NOT NULL,
    search_tokens INTEGER NOT NULL
) STRICT;

-- What was counted without a day goes to that of the last use; what a backend had sent was not counted in tokens.
INSERT INTO ledger
SELECT last_used / 86400000000000, server, tool, 0, 0, 0, 0, 0, 0, calls, errors, 0, 0, result_tokens, result_tokens, last_used
FROM tool_use;

DROP TABLE tool_use;
DROP TABLE search_use;
