-- Which tool a search led to. Of the query only words that anybody may know are kept, never the arguments of the call.
CREATE TABLE habits (
    words TEXT NOT NULL,
    server TEXT NOT NULL,
    tool TEXT NOT NULL,
    uses INTEGER NOT NULL,
    last_used INTEGER NOT NULL,
    PRIMARY KEY (words, server, tool)
) STRICT, WITHOUT ROWID;
