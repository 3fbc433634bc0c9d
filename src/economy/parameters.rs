//! The parameters of a tool, read from its input schema: the common ground of its signature and its description.

use serde_json::Value;

use super::schema::{
    dialect::Dialect,
    kind::{Field, KeyType, ObjectType, Type},
    leaf::required_names,
    merge::is_annotation,
    read::Reader,
};

/// Sub-schemas visited for one parameter. The largest parameter that a describe can usefully show has about 600.
const NODES_PER_PARAMETER: usize = 1_000;

/// Sub-schemas visited for one parameter where only a signature is wanted: each takes two bytes and more, so this many fit in none.
const NODES_PER_SIGNATURE_PARAMETER: usize = 250;

/// What is read beside the types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Types only.
    Signature,
    /// Descriptions and examples too.
    Notes,
}

/// What a tool takes.
#[derive(Debug)]
pub struct Parameters {
    /// Each parameter, and whether its type says everything its schema says.
    pub fields: Vec<(Field, bool)>,
    /// What arguments of other names hold, where the schema speaks of them.
    pub other: Option<(KeyType, Type)>,
    /// There are conditions beyond the parameters' types.
    pub conditions: bool,
    /// Outside the parameters' own types, nothing of the schema is unsaid.
    pub exact: bool,
    /// Arguments of further names are rejected.
    pub closed: bool,
    /// What the declared draft makes of the schema.
    pub dialect: Dialect,
}

impl Parameters {
    /// Reads them from an input schema.
    #[must_use]
    pub fn read(schema: &Value, depth: Depth) -> Self {
        let nodes = match depth {
            Depth::Signature => NODES_PER_SIGNATURE_PARAMETER,
            Depth::Notes => NODES_PER_PARAMETER,
        };
        let mut reader = Reader::new(schema, nodes, depth == Depth::Notes);
        let dialect = Dialect::of(schema);
        if dialect != Dialect::Deaf
            && let Some(parameters) = Self::read_plain(schema, &mut reader, nodes, dialect)
        {
            return parameters;
        }
        let whole = reader.read(schema);
        let exact = reader.exact && dialect != Dialect::Deaf;
        let (object, conditions) = match whole {
            Type::Object(object) => (*object, false),
            Type::Any => (ObjectType::default(), false),
            Type::Partly(inner) => match *inner {
                Type::Object(object) => (*object, true),
                _ => (ObjectType::default(), true),
            },
            _ => (ObjectType::default(), true),
        };
        let ObjectType { fields, other, closed } = object;
        let conditions = conditions || dialect == Dialect::Deaf;
        Self {
            fields: fields.into_iter().map(|field| (field, exact)).collect(),
            other,
            conditions,
            exact,
            closed,
            dialect,
        }
    }

    /// An object schema with nothing but properties, as nearly all are: each parameter is read, and judged, on its own.
    fn read_plain(schema: &Value, reader: &mut Reader<'_>, nodes: usize, dialect: Dialect) -> Option<Self> {
        let object = schema.as_object()?;
        let plain = object.iter().all(|(keyword, value)| match keyword.as_str() {
            "type" => value == "object",
            "properties" => value.is_object(),
            "required" => value.is_array(),
            "additionalProperties" => true,
            other => is_annotation(other),
        });
        if !plain {
            return None;
        }
        let required = required_names(object);
        let properties = object.get("properties").and_then(Value::as_object);
        let listed = |name: &str| properties.is_some_and(|properties| properties.contains_key(name));
        if !required.iter().all(|name| listed(name)) {
            return None;
        }
        let mut fields = Vec::with_capacity(properties.map_or(0, serde_json::Map::len));
        for (name, property) in properties.into_iter().flatten() {
            reader.allow(nodes);
            reader.exact = true;
            let field = reader.field(name, property, required.contains(&name.as_str()));
            fields.push((field, reader.exact));
        }
        reader.allow(nodes);
        reader.exact = true;
        let extra = object.get("additionalProperties");
        let closed = extra == Some(&Value::Bool(false));
        let other = extra.filter(|_| !closed).map(|extra| (KeyType::Any, reader.read(extra)));
        Some(Self { fields, other, conditions: false, exact: reader.exact, closed, dialect })
    }
}
