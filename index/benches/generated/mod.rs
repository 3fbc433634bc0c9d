//! A catalog and queries made from a fixed seed: words of the model's vocabulary, as unevenly frequent as in real
//! catalogs; names repeat across servers, and every tool has a few described arguments.

use serde_json::{Map, json};
use toolcrib_index::ToolDocument;

/// Tools of one server.
const TOOLS_OF_SERVER: usize = 20;

const VERBS: [&str; 12] =
    ["create", "list", "get", "update", "delete", "search", "send", "read", "write", "fetch", "export", "merge"];

/// A linear congruential generator: the same catalog on every machine.
pub struct Random {
    state: u64,
    words: Vec<&'static str>,
}

impl Random {
    pub fn new(seed: u64) -> Self {
        let vocabulary = include_str!("../../model/vocabulary.txt");
        let is_word = |word: &&str| word.len() > 3 && word.bytes().all(|byte| byte.is_ascii_lowercase());
        Self { state: seed, words: vocabulary.lines().filter(is_word).collect() }
    }

    fn below(&mut self, end: usize) -> usize {
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.state >> 33) as usize % end
    }

    /// Small numbers far more often than large ones: the tenth word is some hundred times as frequent as the thousandth.
    fn word(&mut self) -> &'static str {
        let most = 1 + self.below(self.words.len());
        let most = 1 + self.below(most);
        let number = self.below(most);
        self.words[number]
    }

    fn sentence(&mut self, words: usize) -> String {
        (0..words).map(|_| self.word()).collect::<Vec<_>>().join(" ")
    }

    fn tool(&mut self, number: usize) -> ToolDocument {
        let server = format!("server{}", number / TOOLS_OF_SERVER);
        let verb = VERBS[self.below(VERBS.len())];
        let name = format!("{verb}_{}_{}", self.word(), self.word());
        let mut properties = Map::new();
        for _ in 0..4 {
            properties.insert(self.word().into(), json!({"type": "string", "description": self.sentence(8)}));
        }
        ToolDocument {
            id: format!("{server}/{name}_{number}"),
            title: None,
            description: format!("{verb} {}", self.sentence(25)),
            input_schema: json!({"type": "object", "properties": properties}),
            server_description: format!("{server} for {}", self.sentence(6)),
            server,
            name,
        }
    }

    /// What somebody would search: mostly a few words, sometimes a sentence, sometimes two needs, sometimes a name.
    pub fn query(&mut self) -> String {
        let verb = VERBS[self.below(VERBS.len())];
        match self.below(10) {
            0 => format!("{verb} the {} and then send it to {}", self.sentence(3), self.sentence(2)),
            1 | 2 => format!("I need to {verb} all {} of the {}", self.sentence(5), self.sentence(4)),
            3 => format!("server{}/{verb}_{}", self.below(100), self.word()),
            _ => format!("{verb} {}", self.sentence(3)),
        }
    }
}

/// So many tools.
pub fn catalog(tools: usize) -> Vec<ToolDocument> {
    let mut random = Random::new(7);
    (0..tools).map(|number| random.tool(number)).collect()
}
