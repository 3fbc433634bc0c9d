//! Reads schemas that are made of others: references, `allOf`, `anyOf`, `oneOf`.

use serde_json::{Map, Value};

use super::{
    disjoint::{Meeting, meeting},
    kind::Type,
    merge::{is_annotation, merged},
    read::Reader,
};

/// Most branches of one `anyOf` or `oneOf`.
const MAX_BRANCHES: usize = 24;

impl<'a> Reader<'a> {
    pub(super) fn read_reference(&mut self, reference: &Value, schema: &Map<String, Value>) -> Type {
        let Some(target) = reference.as_str().and_then(|text| self.resolve(text)) else {
            return self.lost(Type::Cut);
        };
        let reference = reference.as_str().unwrap_or_default().to_owned();
        if self.following.contains(&reference) {
            return self.lost(Type::Cut);
        }
        self.following.push(reference);
        let bare = schema.keys().all(|key| key == "$ref" || is_annotation(key));
        let kind = if bare {
            self.read(target)
        } else {
            let mut rest = schema.clone();
            rest.shift_remove("$ref");
            rest.shift_remove("$id"); // of the root
            match merged(&rest, target) {
                Some(both) => self.read(&Value::Object(both)),
                None => self.lost(Type::Cut),
            }
        };
        self.following.pop();
        kind
    }

    fn resolve(&self, reference: &str) -> Option<&'a Value> {
        let pointer = reference.strip_prefix('#')?;
        // `#name` is an anchor; no real schema of the catalog has one.
        self.root.pointer(&percent_decoded(pointer))
    }

    pub(super) fn read_all_of(&mut self, schema: &Map<String, Value>, parts: &[Value]) -> Type {
        let mut whole = schema.clone();
        whole.shift_remove("allOf");
        whole.shift_remove("$id"); // of the root
        // It sees the names that the parts list, so it counts once they are joined.
        let unevaluated = whole.shift_remove("unevaluatedProperties");
        let followed = self.following.len();
        for part in parts {
            match self.joined(&whole, part) {
                Some(next) => whole = next,
                None => {
                    self.following.truncate(followed);
                    return self.lost(Type::Cut);
                }
            }
        }
        if let Some(unevaluated) = unevaluated {
            whole.insert("unevaluatedProperties".to_owned(), unevaluated);
        }
        let kind = self.read(&Value::Object(whole));
        self.following.truncate(followed);
        kind
    }

    /// Two schemas as one. The other may be a reference: it is followed, and noted in `following`.
    fn joined(&mut self, whole: &Map<String, Value>, part: &Value) -> Option<Map<String, Value>> {
        let alone = part.as_object().is_some_and(|part| part.keys().all(|key| key == "$ref" || is_annotation(key)));
        match part.get("$ref").and_then(Value::as_str) {
            Some(reference) if alone => {
                let target = self.resolve(reference)?;
                if self.following.iter().any(|followed| followed == reference) {
                    return None;
                }
                self.following.push(reference.to_owned());
                merged(whole, target)
            }
            _ => merged(whole, part),
        }
    }

    pub(super) fn read_branches(&mut self, schema: &Map<String, Value>, keyword: &str, branches: &[Value]) -> Type {
        let mut base = schema.clone();
        base.shift_remove(keyword);
        base.shift_remove("$id"); // of the root
        let plain_base = base.keys().all(|key| is_annotation(key));
        if base.contains_key("unevaluatedProperties") {
            // What several branches list together is read as if each stood alone.
            self.exact = false;
        }
        let mut read: Vec<Type> = Vec::new();
        let mut cut = branches.len() > MAX_BRANCHES;
        let narrowed_before = std::mem::replace(&mut self.narrowed, false);
        for branch in branches.iter().take(MAX_BRANCHES) {
            if plain_base {
                let kind = self.read(branch);
                read.push(kind);
                continue;
            }
            let followed = self.following.len();
            match self.joined(&base, branch) {
                Some(both) => {
                    let kind = self.read(&Value::Object(both));
                    read.push(kind);
                }
                None => cut = true,
            }
            self.following.truncate(followed);
        }
        // One way only holds only if no branch takes what its type does not say.
        let meeting = if keyword == "oneOf" && read.len() > 1 && self.narrowed {
            Meeting::Perhaps
        } else if keyword == "oneOf" && !cut {
            let pairs = (1..read.len()).flat_map(|at| (0..at).map(move |before| (before, at)));
            pairs.map(|(before, at)| meeting(&read[before], &read[at])).max().unwrap_or(Meeting::Never)
        } else if keyword == "oneOf" {
            Meeting::Perhaps
        } else {
            Meeting::Never
        };
        self.narrowed |= narrowed_before;
        self.exact &= meeting == Meeting::Never;
        let overlapping = meeting == Meeting::Perhaps;
        // A branch that takes anything makes the others idle, but for what they say to people; one that was flattened out of an overlapping `oneOf` does not.
        if !self.notes && !overlapping && !cut && read.contains(&Type::Any) {
            return Type::Any;
        }
        if overlapping {
            // Each branch is taken only where no other is: none can be promised by itself.
            cut = true;
        }
        let mut kinds: Vec<Type> = Vec::new();
        read.into_iter().for_each(|kind| kind.join(&mut kinds));
        if cut {
            self.exact = false;
            kinds.push(Type::Cut);
        }
        match kinds.len() {
            0 => Type::Never,
            1 => kinds.swap_remove(0),
            _ => Type::Union(kinds),
        }
    }
}

fn percent_decoded(pointer: &str) -> String {
    if pointer.contains('%') {
        pointer.replace("%24", "$").replace("%20", " ").replace("%25", "%")
    } else {
        pointer.to_owned()
    }
}
