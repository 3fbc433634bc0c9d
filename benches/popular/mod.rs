//! The servers of somebody who uses many, for what is measured before them.

/// Twenty popular servers.
pub const TWENTY: [&str; 20] = [
    "filesystem",
    "git",
    "github",
    "slack",
    "notion",
    "atlassian",
    "linear",
    "sentry",
    "grafana",
    "postgres",
    "playwright",
    "chrome-devtools",
    "google-workspace",
    "todoist",
    "kubernetes",
    "brave-search",
    "context7",
    "memory",
    "time",
    "fetch",
];
