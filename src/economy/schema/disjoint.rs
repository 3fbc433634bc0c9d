//! Whether a value can be taken by two branches of a `oneOf`, which would make it wrong.

use serde_json::Value;

use super::{
    equal::equal,
    kind::{Field, ObjectType, Type},
};

/// How two branches meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Meeting {
    /// No value is taken by both.
    Never,
    /// No value written by one of the types is taken by the schema of the other; one with further names may be.
    NotAsWritten,
    /// There may be such a value.
    Perhaps,
}

/// How the schemas of two types meet. Each type must take all that its schema takes, or be cut there.
#[must_use]
pub fn meeting(one: &Type, other: &Type) -> Meeting {
    match (one, other) {
        (Type::Partly(inner), kind) | (kind, Type::Partly(inner)) => meeting(inner, kind),
        (Type::Union(members), kind) | (kind, Type::Union(members)) => {
            members.iter().map(|member| meeting(member, kind)).max().unwrap_or(Meeting::Never)
        }
        (Type::Literals(ours), Type::Literals(theirs)) => {
            let shared = ours.iter().any(|value| theirs.iter().any(|theirs| equal(value, theirs)));
            if shared { Meeting::Perhaps } else { Meeting::Never }
        }
        (Type::Object(ours), Type::Object(theirs)) => objects(ours, theirs),
        _ if kinds(one) & kinds(other) == 0 => Meeting::Never,
        _ => Meeting::Perhaps,
    }
}

fn objects(ours: &ObjectType, theirs: &ObjectType) -> Meeting {
    let shared = ours.fields.iter().filter(|field| field.required).filter_map(|field| {
        find(theirs, &field.name).filter(|twin| twin.required).map(|twin| meeting(&field.kind, &twin.kind))
    });
    let told_apart = shared.min().unwrap_or(Meeting::Perhaps);
    let never = told_apart == Meeting::Never
        || takes_less(ours, theirs)
        || takes_less(theirs, ours)
        || (wants_more(ours, theirs) && theirs.closed)
        || (wants_more(theirs, ours) && ours.closed);
    if never {
        return Meeting::Never;
    }
    let not_as_written = wants_more(ours, theirs) && wants_more(theirs, ours);
    if not_as_written { Meeting::NotAsWritten } else { told_apart }
}

/// The judge demands a name that the writer does not speak of.
fn wants_more(judge: &ObjectType, writer: &ObjectType) -> bool {
    writer.other.is_none() && judge.fields.iter().any(|field| field.required && find(writer, &field.name).is_none())
}

/// The writer always gives a name that the judge forbids.
fn takes_less(judge: &ObjectType, writer: &ObjectType) -> bool {
    judge.closed
        && judge.other.is_none()
        && writer.fields.iter().any(|field| field.required && find(judge, &field.name).is_none())
}

fn find<'a>(object: &'a ObjectType, name: &str) -> Option<&'a Field> {
    object.fields.iter().find(|field| field.name == name)
}

/// The JSON kinds a type may be, as bits.
fn kinds(kind: &Type) -> u8 {
    const NULL: u8 = 1;
    const BOOLEAN: u8 = 2;
    const NUMBER: u8 = 4;
    const STRING: u8 = 8;
    const ARRAY: u8 = 16;
    const OBJECT: u8 = 32;
    match kind {
        Type::Any | Type::Cut => u8::MAX,
        Type::Never => 0,
        Type::Partly(inner) => kinds(inner),
        Type::Null => NULL,
        Type::Boolean => BOOLEAN,
        Type::Number(_) => NUMBER,
        Type::Text(_) => STRING,
        Type::List(_) | Type::Tuple(..) => ARRAY,
        Type::Object(_) => OBJECT,
        Type::Union(members) => members.iter().map(kinds).fold(0, |all, one| all | one),
        Type::Literals(values) => values.iter().fold(0, |all, value| {
            all | match value {
                Value::Null => NULL,
                Value::Bool(_) => BOOLEAN,
                Value::Number(_) => NUMBER,
                Value::String(_) => STRING,
                Value::Array(_) => ARRAY,
                Value::Object(_) => OBJECT,
            }
        }),
    }
}
