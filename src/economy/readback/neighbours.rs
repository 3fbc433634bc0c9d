//! Samples a little wrong: one place of them changed, mostly to a value that the schema speaks of.

use serde_json::{Value, json};

use super::samples::Chance;

/// Values near a sample: one place of it changed. `words` are values that the schema speaks of.
pub fn neighbour(sample: &Value, words: &[Value], chance: &mut Chance) -> Value {
    let mut changed = sample.clone();
    let places = count_places(&changed);
    let mut at = chance.below(places);
    change(&mut changed, &mut at, words, chance);
    changed
}

fn count_places(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count_places).sum(),
        Value::Object(map) => map.values().map(count_places).sum(),
        _ => 0,
    }
}

/// Changes the place that `at` counts down to.
fn change(value: &mut Value, at: &mut usize, words: &[Value], chance: &mut Chance) -> bool {
    if *at == 0 {
        change_here(value, words, chance);
        return true;
    }
    *at -= 1;
    match value {
        Value::Array(items) => items.iter_mut().any(|item| change(item, at, words, chance)),
        Value::Object(map) => map.values_mut().any(|inner| change(inner, at, words, chance)),
        _ => false,
    }
}

fn change_here(value: &mut Value, words: &[Value], chance: &mut Chance) {
    let word = words.get(chance.below(words.len())).cloned().unwrap_or(Value::Null);
    let other = |chance: &mut Chance| {
        [
            json!(null),
            json!(true),
            json!(0),
            json!(1.5),
            json!(-7),
            json!("x"),
            json!(""),
            json!([]),
            json!({}),
            word.clone(),
        ][chance.below(10)]
        .clone()
    };
    match value {
        Value::Object(map) => {
            let name = map.keys().nth(chance.below(map.len())).cloned();
            match (chance.below(4), name) {
                (0, Some(name)) => drop(map.shift_remove(&name)),
                (1, Some(name)) => drop(map.insert(name, other(chance))),
                (3, _) if chance.one_in(2) => *value = other(chance),
                _ => {
                    let name = word.as_str().filter(|_| chance.one_in(2)).unwrap_or("zz");
                    let inner = other(chance);
                    map.insert(name.to_owned(), inner);
                }
            }
        }
        Value::Array(items) => match chance.below(5) {
            0 => drop(items.pop()),
            1 => items.push(other(chance)),
            2 => {
                if let Some(first) = items.first().cloned() {
                    items.push(first);
                }
            }
            3 => {
                let at = chance.below(items.len());
                if let Some(item) = items.get_mut(at) {
                    *item = other(chance);
                }
            }
            _ => *value = other(chance),
        },
        Value::Number(number) => {
            let near = number.as_f64().unwrap_or(0.0);
            let near = [near + 1.0, near - 1.0, near + 0.5, near * 1000.0, -near][chance.below(5)];
            *value = if chance.one_in(2) {
                other(chance)
            } else if near.fract() == 0.0 && near.abs() < 9e15 {
                Value::from(near as i64)
            } else {
                Value::from(near)
            };
        }
        Value::String(text) => match chance.below(4) {
            0 => text.push('q'),
            1 => drop(text.pop()),
            2 => text.push_str(&"long ".repeat(80)),
            _ => *value = other(chance),
        },
        _ => *value = other(chance),
    }
}

/// Constants, limits and names that a schema speaks of: changes to these values cross its borders.
pub fn words(schema: &Value, found: &mut Vec<Value>) {
    const MOST: usize = 400;
    if found.len() > MOST {
        return;
    }
    match schema {
        Value::Object(map) => {
            for (keyword, inner) in map {
                match keyword.as_str() {
                    "const" => found.push(inner.clone()),
                    "enum" | "required" => found.extend(inner.as_array().into_iter().flatten().take(20).cloned()),
                    "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" => {
                        found.extend(inner.as_f64().filter(|edge| edge.abs() < 9e15).into_iter().flat_map(|edge| {
                            [edge - 1.0, edge, edge + 1.0].map(|near| {
                                if near.fract() == 0.0 { Value::from(near as i64) } else { Value::from(near) }
                            })
                        }));
                    }
                    "minLength" | "maxLength" => {
                        let edge = inner.as_f64().unwrap_or(0.0).min(400.0) as usize;
                        found.extend([edge.saturating_sub(1), edge, edge + 1].map(|length| json!("l".repeat(length))));
                    }
                    "properties" => {
                        found.extend(inner.as_object().into_iter().flatten().take(20).map(|(name, _)| json!(name)));
                        words(inner, found);
                    }
                    _ => words(inner, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| words(item, found)),
        _ => {}
    }
}
