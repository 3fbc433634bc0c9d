//! What people wrote into a definition and a describe does not hold.

use serde_json::Value;

/// Descriptions of a schema that a text does not hold, word for word.
pub fn descriptions(text: &str, schema: &Value) -> Vec<String> {
    let mut described = Described { root: schema, followed: Vec::new(), found: Vec::new() };
    described.gather("", schema);
    let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    // Where it is JSON, line breaks are escapes.
    let letters = |text: &str| letters(&text.replace("\\n", " "));
    let said = letters(text);
    described.found.retain(|(name, description)| {
        // "The owner" of `owner` is left out on purpose, and so is "Arguments for this tool".
        let plain = letters(&description.to_lowercase());
        let bare = letters(&name.to_lowercase());
        let repeats = ["the", "a", "an"].iter().any(|article| plain.strip_prefix(article) == Some(bare.as_str()))
            || plain.replacen("parameter", "", 1) == bare;
        let of_the_whole =
            schema.get("description").and_then(Value::as_str) == Some(description) && plain.contains("for");
        !said.contains(&letters(description)) && !repeats && !of_the_whole
    });
    described.found.into_iter().map(|(name, description)| format!("{name}: {description}")).collect()
}

/// Words of a tool's description that a describe does not hold, less those of the openings and headings that it drops.
pub fn words(text: &str, description: &str) -> Vec<String> {
    const DROPPED: &str = "this tool endpoint function method operation command allows allow lets enables helps will \
        users used useful when need want please purpose description summary primary that args arguments parameters params param \
        string integer float number boolean bool list array dict object optional required input context";
    let split = |text: &str| -> Vec<String> {
        text.split(|c: char| !c.is_alphanumeric())
            .filter(|word| word.chars().count() > 3)
            .map(|word| word.chars().flat_map(char::to_lowercase).collect())
            .collect()
    };
    let said: std::collections::HashSet<String> = split(text).into_iter().collect();
    let mut unsaid = split(description);
    unsaid.retain(|word| !said.contains(word) && !DROPPED.split(' ').any(|dropped| dropped == word));
    unsaid
}

/// Gathers the descriptions of what arguments can hold; definitions that nothing refers to are no part of that.
struct Described<'a> {
    root: &'a Value,
    followed: Vec<&'a str>,
    found: Vec<(String, String)>,
}

impl<'a> Described<'a> {
    fn gather(&mut self, name: &str, schema: &'a Value) {
        let Value::Object(map) = schema else { return };
        for (keyword, inner) in map {
            match (keyword.as_str(), inner) {
                ("description", Value::String(text)) => self.found.push((name.to_owned(), text.clone())),
                ("$ref", Value::String(reference)) if !self.followed.contains(&reference.as_str()) => {
                    self.followed.push(reference);
                    let target = reference.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer));
                    target.into_iter().for_each(|target| self.gather(name, target));
                }
                ("properties" | "patternProperties" | "dependentSchemas", Value::Object(named)) => {
                    named.iter().for_each(|(name, inner)| self.gather(name, inner));
                }
                ("anyOf" | "oneOf" | "allOf" | "prefixItems" | "items", Value::Array(schemas)) => {
                    schemas.iter().for_each(|inner| self.gather(name, inner));
                }
                (
                    "items" | "additionalProperties" | "not" | "if" | "then" | "else" | "contains" | "propertyNames",
                    _,
                ) => {
                    self.gather(name, inner);
                }
                _ => {}
            }
        }
    }
}
