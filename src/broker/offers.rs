//! Prompts and resources of all servers under names of ours: listed from the catalog without connecting, routed to their servers.
//!
//! A prompt is `server/name`. A resource is `crib://server/` before its own address, which is taken off again on the way in; a
//! template likewise, so that what a client makes of it leads back to its server.

use serde_json::{Value, json};

use super::{Broker, Hop};
use crate::{
    backends::{BackendError, Request},
    catalog::JsonObject,
    config::{Offered, ServerSpec},
};

/// What stands before the address of a resource.
const SCHEME: &str = "crib://";

/// What a client asks for besides tools.
#[derive(Debug, Clone)]
pub(super) enum Asked {
    /// A prompt.
    Prompt {
        /// `server/name`.
        name: String,
        /// Its arguments.
        arguments: Option<JsonObject>,
    },
    /// A resource.
    Resource {
        /// Its address, with or without our part.
        uri: String,
    },
    /// Values for an argument of a prompt or a template.
    Completion {
        /// The parameters as they came.
        params: JsonObject,
    },
}

/// Why it could not be given.
#[derive(Debug, thiserror::Error)]
pub(super) enum OfferError {
    /// No server has it.
    #[error("there is no {what} `{name}` here")]
    Unknown {
        /// `prompt` or `resource`.
        what: &'static str,
        /// What was asked for.
        name: String,
    },
    /// Its server failed.
    #[error(transparent)]
    Backend(#[from] BackendError),
}

impl Asked {
    /// What a request was about, as text: what a sealed state is bound to.
    pub(super) fn subject(&self) -> (&'static str, Value) {
        match self {
            Self::Prompt { name, arguments } => ("prompts/get", json!([name, arguments])),
            Self::Resource { uri } => ("resources/read", json!(uri)),
            Self::Completion { params } => ("completion/complete", json!(params)),
        }
    }
}

impl Broker {
    /// Every prompt of the offered servers, as its server lists it but for the name.
    pub(super) fn prompts(&self) -> Vec<Value> {
        let prompt = |server: &str, mut prompt: JsonObject| {
            let name = prompt.get("name")?.as_str()?.to_owned();
            prompt.insert("name".into(), format!("{server}/{name}").into());
            Some(Value::Object(prompt))
        };
        let catalog = self.library.catalog();
        let all = catalog.servers.iter().flat_map(|(name, entry)| entry.prompts.iter().map(move |one| (name, one)));
        all.filter_map(|(server, one)| prompt(server.as_str(), one.clone())).collect()
    }

    /// Every resource of the offered servers, as its server lists it but for the address.
    pub(super) fn resources(&self) -> Vec<Value> {
        let catalog = self.library.catalog();
        let all = catalog.servers.iter().flat_map(|(name, entry)| entry.resources.iter().map(move |one| (name, one)));
        all.filter_map(|(server, one)| addressed(server.as_str(), one.clone(), "uri")).collect()
    }

    /// Every template of resources, likewise.
    pub(super) fn resource_templates(&self) -> Vec<Value> {
        let catalog = self.library.catalog();
        let all = catalog.servers.iter();
        let all = all.flat_map(|(name, entry)| entry.resource_templates.iter().map(move |one| (name, one)));
        all.filter_map(|(server, one)| addressed(server.as_str(), one.clone(), "uriTemplate")).collect()
    }

    /// Gets what a client asks for from its server.
    ///
    /// Dropping the future cancels the request.
    pub(super) async fn offer(&self, asked: Asked, hop: Hop) -> Result<JsonObject, OfferError> {
        let (spec, method, params) = match asked {
            Asked::Prompt { name, arguments } => {
                let unknown = || OfferError::Unknown { what: "prompt", name: name.clone() };
                let (spec, own) = self.prompt(&name).ok_or_else(unknown)?;
                let mut params = JsonObject::from_iter([("name".to_owned(), Value::from(own))]);
                params.extend(arguments.map(|arguments| ("arguments".to_owned(), Value::Object(arguments))));
                (spec, "prompts/get", params)
            }
            Asked::Resource { uri } => {
                let unknown = || OfferError::Unknown { what: "resource", name: uri.clone() };
                let (spec, own) = self.resource(&uri).ok_or_else(unknown)?;
                (spec, "resources/read", JsonObject::from_iter([("uri".to_owned(), Value::from(own))]))
            }
            Asked::Completion { mut params } => {
                let spec = self.routed_reference(&mut params)?;
                (spec, "completion/complete", params)
            }
        };
        let request = Request::new(method, params, spec.call_timeout);
        let mut result = self.ask_backend(spec, request, hop).await?;
        if let Some(Value::Array(contents)) = result.get_mut("contents").filter(|_| method == "resources/read") {
            for content in contents.iter_mut().filter_map(Value::as_object_mut) {
                if let Some(uri) =
                    content.get("uri").and_then(Value::as_str).map(|uri| address(spec.name.as_str(), uri))
                {
                    content.insert("uri".into(), uri.into());
                }
            }
        }
        Ok(result)
    }

    /// The server that a `server/rest` names, and the rest.
    fn routed<'n>(&self, name: &'n str) -> Option<(&ServerSpec, &'n str)> {
        let (server, own) = name.split_once('/')?;
        let spec = self.library.settings().servers.get(server).filter(|spec| spec.enabled)?;
        (!own.is_empty()).then_some((spec, own))
    }

    /// The server of a prompt and its own name for it.
    fn prompt<'n>(&self, name: &'n str) -> Option<(&ServerSpec, &'n str)> {
        self.library.settings().offer.prompts.then(|| self.routed(name)).flatten()
    }

    /// The server of a resource and its own address. An address without our part, as links in results have it, is taken where one
    /// server lists it.
    pub(super) fn resource<'u>(&self, uri: &'u str) -> Option<(&ServerSpec, &'u str)> {
        if self.library.settings().offer.resources == Offered::Never {
            return None;
        }
        if let Some(rest) = uri.strip_prefix(SCHEME) {
            return self.routed(rest);
        }
        let catalog = self.library.catalog();
        let listing = |one: &JsonObject| one.get("uri").and_then(Value::as_str) == Some(uri);
        let mut having = catalog.servers.iter().filter(|(_, entry)| entry.resources.iter().any(listing));
        let (Some((server, _)), None) = (having.next(), having.next()) else { return None };
        Some((self.library.settings().servers.get(server)?, uri))
    }

    /// Takes our part out of the reference of a completion, and gives the server it names.
    fn routed_reference(&self, params: &mut JsonObject) -> Result<&ServerSpec, OfferError> {
        let reference = params.get_mut("ref").and_then(Value::as_object_mut);
        let key = match reference.as_ref().and_then(|reference| reference.get("type")).and_then(Value::as_str) {
            Some("ref/resource") => "uri",
            _ => "name",
        };
        let named = reference.as_ref().and_then(|reference| reference.get(key)).and_then(Value::as_str);
        let named = named.unwrap_or_default().to_owned();
        let found = if key == "uri" { self.resource(&named) } else { self.prompt(&named) };
        let what = if key == "uri" { "resource" } else { "prompt" };
        let Some((spec, own)) = found else { return Err(OfferError::Unknown { what, name: named }) };
        if let Some(reference) = reference {
            reference.insert(key.into(), own.into());
        }
        Ok(spec)
    }
}

pub(super) fn address(server: &str, uri: &str) -> String {
    format!("{SCHEME}{server}/{uri}")
}

fn addressed(server: &str, mut one: JsonObject, key: &str) -> Option<Value> {
    let uri = address(server, one.get(key)?.as_str()?);
    one.insert(key.into(), uri.into());
    Some(Value::Object(one))
}
