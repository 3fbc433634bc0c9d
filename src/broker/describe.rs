//! `describe_tool`: the full description and the whole input contract, lossless.

use std::sync::Arc;

use super::{Broker, Conversation, DescribeRequest, MAX_DESCRIBED, conversation::Step, reply};
use crate::{
    catalog::{Resolution, ToolEntry},
    economy::{self, neighbours},
};

/// What a description says.
#[derive(Debug)]
pub struct DescribeAnswer {
    /// The reply as a model reads it.
    pub text: String,
    /// The tools that were found, in the order asked.
    pub tools: Vec<Arc<ToolEntry>>,
    /// Whether every name meant one tool.
    pub all_found: bool,
}

impl Broker {
    /// Describes up to ten tools. Names that mean no one tool are answered with what they may have meant.
    #[must_use]
    pub fn describe(&self, request: &DescribeRequest, conversation: &Conversation) -> DescribeAnswer {
        let catalog = self.library.catalog();
        let asides = self.library.asides(&catalog);
        let mut answer = DescribeAnswer { text: String::new(), tools: Vec::new(), all_found: true };
        let (mut parts, mut described) = (Vec::new(), Vec::new());
        for asked in request.tools.iter().take(MAX_DESCRIBED) {
            let resolution = self.library.resolve(asked);
            let found = match &resolution {
                Resolution::One(id) => self.library.tool(id),
                Resolution::Many(_) | Resolution::None { .. } => None,
            };
            if let Some(tool) = found {
                let part = neighbours::described(economy::describe(&tool), &asides.needs(&tool, &catalog));
                described.push((tool.id.clone(), part.clone()));
                parts.push(part);
                answer.tools.push(tool);
            } else {
                parts.push(reply::not_one_tool(asked, &resolution, &catalog));
                answer.all_found = false;
            }
        }
        let left = request.tools.len().saturating_sub(MAX_DESCRIBED);
        if left > 0 {
            parts.push(format!("{left} more were asked for; describe at most {MAX_DESCRIBED} at a time."));
            answer.all_found = false;
        }
        answer.text = parts.join("\n\n");
        conversation.note(Step::Described { tools: answer.tools.iter().map(|tool| tool.id.to_string()).collect() });
        self.counting.described(described, conversation, self.library.registry());
        answer
    }
}
