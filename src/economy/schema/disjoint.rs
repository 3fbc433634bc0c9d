//! Whether arguments written for one branch of a `oneOf` can be taken by another, which would make them wrong.

use serde_json::Value;

use super::kind::{Field, ObjectType, Type};

/// Whether no value written for one type is accepted by the schema of the other. `false` where that cannot be told.
#[must_use]
pub fn disjoint(one: &Type, other: &Type) -> bool {
    match (one, other) {
        (Type::Literals(ours), Type::Literals(theirs)) => !ours.iter().any(|value| theirs.contains(value)),
        (Type::Object(ours), Type::Object(theirs)) => objects_disjoint(ours, theirs),
        _ => {
            let (ours, theirs) = (kinds(one), kinds(other));
            ours & theirs == 0
        }
    }
}

fn objects_disjoint(ours: &ObjectType, theirs: &ObjectType) -> bool {
    let told_apart =
        ours.fields.iter().filter(|field| field.required).any(|field| {
            find(theirs, &field.name).is_some_and(|twin| twin.required && disjoint(&field.kind, &twin.kind))
        });
    told_apart || (rejects(ours, theirs) && rejects(theirs, ours))
}

/// Whether the schema of `judge` rejects every value written for `writer`.
fn rejects(judge: &ObjectType, writer: &ObjectType) -> bool {
    let wants_more = judge
        .fields
        .iter()
        .any(|field| field.required && find(writer, &field.name).is_none() && writer.other.is_none());
    let takes_less = judge.closed
        && judge.other.is_none()
        && writer.fields.iter().any(|field| field.required && find(judge, &field.name).is_none());
    wants_more || takes_less
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
