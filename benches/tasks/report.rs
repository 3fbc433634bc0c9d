//! The tasks of one set, played in each way, and the table of what they took.

use std::fmt::Write;

use serde_json::Value;
use toolcrib::economy;

use crate::{
    catalog::Set,
    floor::Figures,
    model::{self, Bill},
    plain,
    stage::Stage,
};

/// One way of offering tools.
struct Way {
    start: usize,
    /// One for each task.
    bills: Vec<Bill>,
}

/// What the tasks of a set took in each way.
pub struct Report {
    set: &'static str,
    title: String,
    tools: usize,
    /// Share of signatures that are whole.
    complete: f64,
    /// Mean tokens of the description of every tool.
    describe_all: f64,
    /// Tokens of all definitions without what models are not sent: output schemas, annotations.
    direct_sent: usize,
    /// Task, in its person's words.
    queries: Vec<String>,
    direct: Way,
    plain: Way,
    toolcrib: Way,
}

impl Report {
    /// Plays every task in every way.
    pub async fn measure(set: &Set, stage: &Stage) -> Self {
        let surface = stage.broker.surface();
        let tools = Value::from(surface.tools.to_vec()).to_string();
        let start = economy::count(&tools) + economy::count(&surface.instructions);
        let mut report = Self {
            set: set.name,
            title: set.title.clone(),
            tools: set.servers.iter().map(|(_, listing)| listing.tools.len()).sum(),
            complete: 0.0,
            describe_all: 0.0,
            direct_sent: 0,
            queries: Vec::new(),
            direct: Way { start: listed_tokens(set), bills: Vec::new() },
            plain: Way { start: plain::start_tokens(), bills: Vec::new() },
            toolcrib: Way { start, bills: Vec::new() },
        };
        report.weigh_tools(stage);
        for task in &set.tasks {
            report.queries.push(format!("{} \"{}\"", task.id, task.query));
            report.direct.bills.push(model::direct(task, set, stage));
            report.plain.bills.push(model::through_plain(task, set, stage).await);
            report.toolcrib.bills.push(model::through_toolcrib(task, set, stage).await);
        }
        report
    }

    fn weigh_tools(&mut self, stage: &Stage) {
        let catalog = stage.broker.library().catalog();
        let (mut tools, mut complete, mut described) = (0, 0, 0);
        for tool in catalog.servers.values().flat_map(|server| &server.tools) {
            tools += 1;
            complete += usize::from(economy::signature(tool).complete);
            described += economy::count(&economy::describe(tool));
        }
        self.complete = ratio(complete, tools);
        self.describe_all = ratio(described, tools);
        let servers = catalog.servers.values().map(AsRef::as_ref);
        self.direct_sent = economy::footprint(servers, "").direct_tokens;
    }

    /// The table, as Markdown.
    pub fn table(&self) -> String {
        let mut out = format!(
            "### {}, {} tools, {} tasks\n\n| | loaded directly | plain broker | toolcrib |\n| --- | --- | --- | --- |\n",
            self.title,
            grouped(self.tools),
            self.queries.len()
        );
        let ways = [&self.direct, &self.plain, &self.toolcrib];
        let mut row = |label: &str, cell: &dyn Fn(&Way) -> String| {
            let _ = writeln!(out, "| {label} | {} |", ways.map(cell).join(" | "));
        };
        row("tokens at start", &|way| grouped(way.start));
        row("tasks finished", &|way| format!("{} of {}", way.finished().count(), way.bills.len()));
        row("… with one search, one call a need, no describe", &|way| percent(way.straight()));
        row("round trips a finished task", &|way| format!("{:.2}", way.mean(Bill::round_trips)));
        row("a search reply: mean, p95, most", &|way| spread(&way.all(|bill| &bill.searches)));
        row("a describe: mean, p95, most", &|way| spread(&way.all(|bill| &bill.describes)));
        row("**tokens a finished task**", &|way| format!("**{:.0}**", way.mean(Bill::tokens)));
        row("… of which written by the model", &|way| format!("{:.0}", way.mean(|bill| bill.written)));
        row("… with the start", &|way| grouped((way.mean(Bill::tokens) + way.start as f64).round() as usize));
        let _ = writeln!(
            out,
            "\ntoolcrib takes 1/{:.1} of the plain broker's tokens a task (the median task 1/{:.1}), 1/{:.1} with both starts. Of all tools, {} \
have a complete signature; a description has {:.0} tokens in the mean. Loaded directly without output schemas and annotations: {}.",
            1.0 / self.share_of_plain(0, 0),
            1.0 / self.median_share(),
            1.0 / self.share_of_plain(self.toolcrib.start, self.plain.start),
            percent(self.complete),
            self.describe_all,
            grouped(self.direct_sent),
        );
        out
    }

    /// Every task that took more than a search and a call for each need, and why; then all by what they took.
    pub fn reasons(&self) -> String {
        let mut out = format!("### {}: what every task took\n\n", self.title);
        for (query, (bill, plain)) in self.queries.iter().zip(self.toolcrib.bills.iter().zip(&self.plain.bills)) {
            let mark = if bill.finished { "" } else { " NOT FINISHED" };
            let _ = writeln!(
                out,
                "{query}:{mark} {} tokens (written {}, searches {:?}, describes {:?}), plain {} ({:?})",
                bill.tokens(),
                bill.written,
                bill.searches,
                bill.describes,
                plain.tokens(),
                plain.searches
            );
            for note in &bill.notes {
                let _ = writeln!(out, "    {note}");
            }
        }
        out
    }

    /// Adds the figures that bounds may be set on.
    pub fn figures(&self, figures: &mut Figures) {
        let way = &self.toolcrib;
        let searches = way.all(|bill| &bill.searches);
        let mut add = |name: &str, figure: f64| {
            figures.insert(format!("{}.{name}", self.set), figure);
        };
        add("tasks", self.queries.len() as f64);
        add("start", way.start as f64);
        add("finished", ratio(way.finished().count(), way.bills.len()));
        add("refused_calls", way.bills.iter().map(|bill| bill.refused).sum::<usize>() as f64);
        add("straight", way.straight());
        add("round_trips", way.mean(Bill::round_trips));
        add("search_mean", mean(&searches));
        add("search_most", searches.iter().copied().max().unwrap_or(0) as f64);
        add("describe_mean", mean(&way.all(|bill| &bill.describes)));
        add("describe_all_mean", self.describe_all);
        add("complete_signatures", self.complete);
        add("task", way.mean(Bill::tokens));
        add("share_of_plain", self.share_of_plain(0, 0));
    }

    /// Tokens through toolcrib for one through the plain broker, over the tasks that both finish.
    fn share_of_plain(&self, start: usize, plain_start: usize) -> f64 {
        let both = self.both();
        let ours: usize = both.iter().map(|(ours, _)| ours.tokens() + start).sum();
        let theirs: usize = both.iter().map(|(_, theirs)| theirs.tokens() + plain_start).sum();
        ratio(ours, theirs)
    }

    fn median_share(&self) -> f64 {
        let mut shares: Vec<f64> =
            self.both().iter().map(|(ours, theirs)| ratio(ours.tokens(), theirs.tokens())).collect();
        shares.sort_by(f64::total_cmp);
        shares.get(shares.len() / 2).copied().unwrap_or(0.0)
    }

    fn both(&self) -> Vec<(&Bill, &Bill)> {
        let pairs = self.toolcrib.bills.iter().zip(&self.plain.bills);
        pairs.filter(|(ours, theirs)| ours.finished && theirs.finished).collect()
    }
}

impl Way {
    fn finished(&self) -> impl Iterator<Item = &Bill> {
        self.bills.iter().filter(|bill| bill.finished)
    }

    fn straight(&self) -> f64 {
        ratio(self.bills.iter().filter(|bill| bill.is_straight()).count(), self.bills.len())
    }

    /// Over the finished tasks.
    fn mean(&self, of: impl Fn(&Bill) -> usize) -> f64 {
        mean(&self.finished().map(of).collect::<Vec<_>>())
    }

    /// Over every task, finished or not.
    fn all(&self, of: impl Fn(&Bill) -> &Vec<usize>) -> Vec<usize> {
        let mut all: Vec<usize> = self.bills.iter().flat_map(of).copied().collect();
        all.sort_unstable();
        all
    }
}

/// Tokens of every `tools/list` as the servers send it.
fn listed_tokens(set: &Set) -> usize {
    set.servers.iter().map(|(_, listing)| economy::count(&Value::from(listing.tools.clone()).to_string())).sum()
}

fn spread(sorted: &[usize]) -> String {
    let Some(most) = sorted.last() else { return "–".into() };
    let p95 = sorted.get((sorted.len() * 95).div_ceil(100).saturating_sub(1)).unwrap_or(most);
    format!("{:.0}, {}, {}", mean(sorted), grouped(*p95), grouped(*most))
}

fn mean(values: &[usize]) -> f64 {
    ratio(values.iter().sum(), values.len())
}

fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// 12,345.
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
