use super::*;
use crate::{
    cli::measured::tests::{measured, used},
    economy::ToolFootprint,
};

const TWELVE: [(&str, usize, usize); 12] = [
    ("code-host", 51, 61_240),
    ("browser", 32, 28_310),
    ("office-suite", 96, 74_905),
    ("tickets", 44, 39_870),
    ("dashboards", 38, 30_122),
    ("notes", 22, 17_604),
    ("chat", 13, 8_950),
    ("files", 14, 6_402),
    ("database", 9, 5_377),
    ("git", 12, 3_915),
    ("web", 1, 604),
    ("clock", 2, 381),
];

fn server(name: &str, tools: usize, direct: usize) -> ServerFootprint {
    ServerFootprint {
        server: name.parse().unwrap(),
        tools,
        direct_tokens: direct,
        listed_tokens: direct,
        start_tokens: 12,
        largest: None,
    }
}

fn figures(servers: Vec<ServerFootprint>, with_use: bool) -> Figures {
    let direct: usize = servers.iter().map(|server| server.direct_tokens).sum();
    let through = 327 + 12 * servers.len() + 148;
    let uses = servers
        .iter()
        .map(|server| used(server.server.as_str(), server.direct_tokens as u64, server.tools as u64 % 7, 1));
    let mut measured = measured(30, 1, uses.collect());
    if !with_use {
        measured.ledger.conversations = 0;
    }
    let footprint = Footprint {
        tools: servers.iter().map(|server| server.tools).sum(),
        direct_tokens: direct,
        listed_tokens: direct,
        pins: vec![ToolFootprint { tool: "tickets/open <&\"'>".parse().unwrap(), direct_tokens: 148 }],
        toolcrib_tokens: through,
        saved_tokens: direct.saturating_sub(through),
        saved_percent: u8::try_from(direct.saturating_sub(through) * 100 / direct.max(1)).unwrap(),
        servers,
    };
    Figures { footprint, measured, price: Some(Price::new(3.0, "<$>")) }
}

fn twelve() -> Vec<ServerFootprint> {
    TWELVE.iter().map(|(name, tools, direct)| server(name, *tools, *direct)).collect()
}

fn many(count: usize) -> Vec<ServerFootprint> {
    (0..count).map(|at| server(&format!("server-{at}"), at + 1, at * 97)).collect()
}

/// Fails where tags, attributes or entities are not those of well-formed XML. Enough for what we write: no CDATA, no processing
/// instructions.
fn assert_well_formed(text: &str) {
    let mut rest = text.strip_prefix("<!DOCTYPE html>\n").unwrap_or(text);
    let mut open: Vec<&str> = Vec::new();
    let plain = |text: &str| {
        for (at, _) in text.match_indices('&') {
            assert!(
                ["&amp;", "&lt;", "&gt;", "&quot;", "&#39;"].iter().any(|entity| text[at..].starts_with(entity)),
                "{text}"
            );
        }
        assert!(!text.contains('<') && !text.chars().any(|c| c.is_control() && c != '\n'), "{text}");
    };
    while let Some(start) = rest.find('<') {
        plain(&rest[..start]);
        assert!(start == 0 || !open.is_empty() || rest[..start].trim().is_empty(), "text outside of the root");
        if let Some(comment) = rest[start..].strip_prefix("<!--") {
            rest = comment.split_once("-->").unwrap().1;
            continue;
        }
        let (tag, after) = rest[start + 1..].split_once('>').unwrap();
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name));
            continue;
        }
        let (tag, closed) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        let parts: Vec<&str> = attributes.split('"').collect();
        assert!(parts.len() % 2 == 1 && parts.last().unwrap().is_empty(), "<{tag}>");
        for pair in parts.chunks(2).filter(|pair| pair.len() == 2) {
            assert!(pair[0].trim().strip_suffix('=').is_some_and(|name| !name.is_empty()), "<{tag}>");
            plain(pair[1]);
        }
        if !closed {
            open.push(name);
        }
    }
    assert!(open.is_empty() && rest.trim().is_empty(), "{open:?} {rest}");
}

#[test]
fn chart_and_page_are_well_formed_self_contained_and_the_same_at_every_drawing() {
    for figures in
        [figures(twelve(), true), figures(twelve(), false), figures(many(149), true), figures(Vec::new(), false)]
    {
        for text in [chart::svg(&figures), page::html(&figures)] {
            assert_well_formed(&text);
            assert!(text.contains(MARK));
            let links = ["<script", "<image", "<link", "href", "@import", "url(", "src="];
            assert!(!links.iter().any(|link| text.contains(link)), "{text}");
            assert_eq!(text.matches("http").count(), 1, "the name space alone");
        }
        assert_eq!(chart::svg(&figures), chart::svg(&figures));
    }
}

#[test]
fn every_server_is_drawn_and_beyond_forty_the_rest_is_summed_up() {
    let svg = chart::svg(&figures(twelve(), true));
    for (name, _, direct) in TWELVE {
        assert!(svg.contains(&format!("<title>{name}: {}</title>", number(direct))), "{name}");
    }
    let few = chart::svg(&figures(many(40), false));
    assert!(few.contains(">server-1<") && !few.contains("more servers"));
    let all = figures(many(149), false);
    let svg = chart::svg(&all);
    assert!(svg.contains(">server-148<") && svg.contains(">server-110<") && !svg.contains(">server-109<"));
    let rest: usize = (0..110).map(|at| at * 97).sum();
    assert!(svg.contains(">110 more servers<") && svg.contains(&format!(">{}<", number(rest))), "{svg}");
    let page = page::html(&all);
    assert!((0..149).all(|at| page.contains(&format!("<td>server-{at}</td>"))));
}

#[test]
fn bars_are_as_long_as_their_numbers_on_one_scale_from_zero() {
    let svg = chart::svg(&figures(twelve(), true));
    let width = |title: &str| -> f64 {
        let line = svg.lines().find(|line| line.contains(&format!("<title>{title}"))).unwrap();
        line.split_once("width=\"").unwrap().1.split_once('"').unwrap().0.parse().unwrap()
    };
    let (direct, through) = (width("loaded directly: "), width("through toolcrib: "));
    let honest = (327.0 + 144.0 + 148.0) / 277_680.0;
    assert!((through / direct - honest).abs() < 0.0005, "{through} of {direct}");
    assert!((width("notes: ") / width("office-suite: ") - 17_604.0 / 74_905.0).abs() < 0.001);
}

#[test]
fn a_chart_replaces_a_chart_and_nothing_else_unless_forced() {
    let folder = tempfile::tempdir().unwrap();
    let figures = figures(twelve(), false);
    let chart = folder.path().join("a.SVG");
    for _ in 0..2 {
        draw(&figures, &chart, false).unwrap();
    }
    let mine = folder.path().join("mine.html");
    fs::write(&mine, "<p>mine</p>").unwrap();
    let refused = draw(&figures, &mine, false).unwrap_err().to_string();
    assert!(
        refused.ends_with("mine.html exists and is no chart of toolcrib; name another file, or add --force"),
        "{refused}"
    );
    draw(&figures, &mine, true).unwrap();
    assert!(fs::read_to_string(&mine).unwrap().starts_with("<!DOCTYPE html>"));
    assert!(draw(&figures, &folder.path().join("a.png"), false).unwrap_err().to_string().contains("ends in neither"));
}

#[test]
fn the_figures_are_told_in_sentences() {
    insta::assert_snapshot!(figures(twelve(), true).sentences().join("\n"), @r"
    99 % of 277,680 tokens saved at start.
    At <$>3.00 for a million input tokens: <$>0.8330 for each start loaded directly, <$>0.001857 through toolcrib. Every request of a conversation carries its start again; a prompt cache makes that cheaper.
    Measured in the 20 days since counting began: 10 conversations read 8,000 tokens of starts, searches and describes; loaded directly they would have begun with 2,776,800. That is <$>0.0240 instead of <$>8.33, each read once.
    Results come on top either way: 16,500 tokens, 13,200 more kept out by the budget.
    ");
}

/// `TOOLCRIB_DRAW=folder cargo test --lib footprint` leaves the pictures there, to look at.
#[test]
fn pictures_can_be_looked_at() {
    let Some(folder) = std::env::var_os("TOOLCRIB_DRAW").map(PathBuf::from) else { return };
    for (name, servers) in [("twelve", twelve()), ("many", many(149)), ("one", vec![server("web", 1, 604)])] {
        let figures = figures(servers, name != "one");
        draw(&figures, &folder.join(format!("{name}.svg")), true).unwrap();
        draw(&figures, &folder.join(format!("{name}.html")), true).unwrap();
    }
}
