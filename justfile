# What people run by hand. CI runs `.ci/run`, which uses the same commands.

export TOOLCRIB_SHARED := shared
shared := env("TOOLCRIB_SHARED", "../shared")
binary := "target/release/toolcrib"

# The recipes.
default:
    @just --list

# The fast checks, before a commit.
check:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings
    cargo test --workspace

# See it work.
demo:
    cargo run --release -- demo

# Accept what the code generates: schemas, docs, snapshots.
update:
    TOOLCRIB_UPDATE=1 INSTA_UPDATE=always cargo test --workspace

# Search quality on a set of tools and queries, like `just ranking etom` or `just ranking etom --misspell`.
ranking set *options: release
    {{binary}} eval {{shared}}/retrieval/{{set}} {{options}}

# Search quality on the captured tools of real servers.
ranking-catalog *options: release
    python3 tests/real/catalog_set.py --shared {{shared}} --out target/sets/catalog
    {{binary}} eval target/sets/catalog {{options}}

# Time and memory of search from 2,400 to a million tools; draws docs/search-scale.svg. Takes ten minutes.
scale:
    cargo bench --package toolcrib-index --bench scale -- --plot {{justfile_directory()}}/docs/search-scale.svg

# The server summaries of the captured catalog at every size, to be read.
summaries:
    cargo bench --bench summaries

# Real servers behind one broker: same results, nothing started early, bad servers do no harm, start and price.
real: release
    python3 tests/real/install.py
    python3 tests/real/check.py --toolcrib {{binary}}
    python3 tests/real/seed.py --toolcrib {{binary}}
    python3 tests/real/transports.py --toolcrib {{binary}}

# Claude Code, the Inspector in both eras, the Python SDK in both modes, FastMCP, Codex.
clients: release
    python3 tests/clients/run.py --toolcrib {{binary}}

# The official conformance suite: both revisions, toolcrib as a server and as a client. tests/conformance/README.md says what is excluded.
conformance *options: release
    python3 tests/conformance/run.py --toolcrib {{binary}} {{options}}

# Clients and servers of both eras of the protocol, all of them real, in every combination, for every kind of traffic.
eras *options: release
    python3 tests/real/eras.py --toolcrib {{binary}} {{options}}

# Tokens of whole tasks: loaded directly, through a plain broker, through toolcrib. Fails where a bound does not hold.
tasks *options:
    cargo test --bench tasks -- {{options}}

# Large results of real servers: within the budget, useful from the start, and frank about what is left out.
large-results *options: release
    python3 tests/real/install.py
    python3 tests/real/large.py --toolcrib {{binary}} {{options}}

# Whether signatures and describes of real tools say what their schemas say, and what they cost. Prints each that does not.
lossless *tool:
    cargo bench --bench lossless -- {{tool}}

# Any bytes at all to the codecs and to what rewrites results: all targets for five minutes each, or `just fuzz lines 60`.
fuzz target="all" seconds="300":
    fuzz/run {{target}} {{seconds}}

# Timings: search, rendering, start-up, the added time of a call.
bench:
    cargo bench --workspace

release:
    cargo build --release
