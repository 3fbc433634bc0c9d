//! The bounds that must hold. `floor.json` names a figure and its least or most; those of a set that was not played are not checked.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::Context;
use serde::Deserialize;

/// What was measured, by `set.figure`.
pub type Figures = BTreeMap<String, f64>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Bound {
    least: Option<f64>,
    most: Option<f64>,
}

/// A sentence for each bound that does not hold.
pub fn broken(figures: &Figures) -> anyhow::Result<Vec<String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/tasks/floor.json");
    let text = fs::read_to_string(&path).with_context(|| format!("failed to read {}", path.display()))?;
    let bounds: BTreeMap<String, Bound> =
        serde_json::from_str(&text).with_context(|| format!("failed to read {}", path.display()))?;
    let mut broken = Vec::new();
    for (name, bound) in &bounds {
        let Some(figure) = figures.get(name) else {
            let set = name.split('.').next().unwrap_or_default();
            if figures.keys().any(|known| known.split('.').next() == Some(set)) {
                broken.push(format!("{name} is no figure of this benchmark"));
            }
            continue;
        };
        if let Some(least) = bound.least.filter(|least| figure < least) {
            broken.push(format!("{name} is {figure:.3}, at least {least} is wanted"));
        }
        if let Some(most) = bound.most.filter(|most| figure > most) {
            broken.push(format!("{name} is {figure:.3}, at most {most} is wanted"));
        }
    }
    Ok(broken)
}
