//! What a JSON Schema accepts, as a small type that can be written in a line.
//!
//! Only the shapes: `read` makes them of a schema, `write` puts them into words.

use serde_json::{Number, Value};

use super::equal::equal;

/// A type of arguments. What it accepts, the schema it was read from accepts.
#[derive(Debug, Clone, PartialEq)]
pub enum Type {
    /// Anything: `any`.
    Any,
    /// Nothing: `never`.
    Never,
    /// Something that is not said here: `…`.
    Cut,
    /// At most this, under conditions that are not said here: `T…`.
    Partly(Box<Type>),
    /// `null`.
    Null,
    /// `boolean`.
    Boolean,
    /// `integer 1..100`, `number >0`.
    Number(NumberType),
    /// `string`, `date-time`, `string(1..64)`, `string /^a/`.
    Text(TextType),
    /// One of these values: `"open"|"closed"`.
    Literals(Vec<Value>),
    /// `string[]`, `string[1..10] unique`.
    List(Box<ListType>),
    /// `[string, number]`, `[string, ...number[..3]]`.
    Tuple(Vec<Type>, Option<Box<ListType>>),
    /// `{a: string, b?: number, [key]: any}`.
    Object(Box<ObjectType>),
    /// `A|B`.
    Union(Vec<Type>),
}

impl Type {
    /// Whether an object in it forbids names that it does not list.
    #[must_use]
    pub fn forbids_names(&self) -> bool {
        match self {
            Self::Object(object) => {
                (object.closed && object.other.is_none())
                    || object.fields.iter().any(|field| field.kind.forbids_names())
                    || object.other.as_ref().is_some_and(|(_, kind)| kind.forbids_names())
            }
            Self::Partly(inner) => inner.forbids_names(),
            Self::List(list) => list.item.forbids_names(),
            Self::Tuple(items, rest) => {
                items.iter().any(Self::forbids_names) || rest.as_ref().is_some_and(|rest| rest.item.forbids_names())
            }
            Self::Union(members) => members.iter().any(Self::forbids_names),
            _ => false,
        }
    }

    /// Adds a member to a union: unions are flattened, literals gathered, doubles dropped.
    pub fn join(self, members: &mut Vec<Self>) {
        match self {
            Self::Union(inner) => inner.into_iter().for_each(|kind| kind.join(members)),
            Self::Never => {}
            Self::Literals(values) => {
                let gathered = members.iter_mut().find_map(|member| match member {
                    Self::Literals(known) => Some(known),
                    _ => None,
                });
                match gathered {
                    Some(known) => {
                        for value in values {
                            if !known.iter().any(|known| equal(known, &value)) {
                                known.push(value);
                            }
                        }
                    }
                    None => members.push(Self::Literals(values)),
                }
            }
            other => {
                if !members.contains(&other) {
                    members.push(other);
                }
            }
        }
    }
}

impl ObjectType {
    /// Names of every other kind are taken, and may hold anything.
    #[must_use]
    pub const fn takes_anything_else(&self) -> bool {
        !self.closed && matches!(self.other, None | Some((KeyType::Any, Type::Any)))
    }
}

/// A number and its range.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NumberType {
    /// Whole numbers only.
    pub integer: bool,
    /// Smallest value, and whether it is itself excluded.
    pub min: Option<(Number, bool)>,
    /// Largest value, and whether it is itself excluded.
    pub max: Option<(Number, bool)>,
    /// Only multiples of this.
    pub multiple_of: Option<Number>,
}

/// A string and its rules.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TextType {
    /// Its format, where it has one.
    pub format: Option<String>,
    /// Regular expression it must match somewhere.
    pub pattern: Option<String>,
    /// Length in characters.
    pub length: Span,
}

/// Smallest and largest count of something; `None` is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// Smallest count.
    pub min: Option<u64>,
    /// Largest count.
    pub max: Option<u64>,
}

/// An array of one type.
#[derive(Debug, Clone, PartialEq)]
pub struct ListType {
    /// What each item is.
    pub item: Type,
    /// How many there are.
    pub length: Span,
    /// No two the same.
    pub unique: bool,
}

/// An object.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ObjectType {
    /// Named fields, in schema order.
    pub fields: Vec<Field>,
    /// What fields of other names hold, where the schema speaks of them.
    pub other: Option<(KeyType, Type)>,
    /// Whether other names are forbidden in so many words.
    pub closed: bool,
}

/// Which other names an object takes.
#[derive(Debug, Clone, PartialEq)]
pub enum KeyType {
    /// Any: `[key]`.
    Any,
    /// Names of this type: `["a"|"b"]`, `[string /^x-/]`.
    Of(Type),
}

/// A field of an object, or a parameter of a tool.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Whether it must be given.
    pub required: bool,
    /// What it holds.
    pub kind: Type,
    /// What is taken when it is not given.
    pub default: Option<Value>,
    /// Description, examples and the like, for people. Empty where they were not asked for.
    pub note: String,
}
