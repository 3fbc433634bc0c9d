//! Orders to the model in text that should only tell: "MANDATORY FIRST STEP", "you must call this".
//!
//! A description is given whole where it is asked for; a search reply repeats no orders of strangers.

/// Whether a sentence tells the model what to do rather than what the tool does.
#[must_use]
pub fn gives_orders(sentence: &str) -> bool {
    const SHOUTED: [&str; 4] = ["MUST", "MANDATORY", "ALWAYS", "NEVER"];
    // As the first word these call for attention; further behind they may be a value or praise.
    const CRIED: [&str; 5] = ["CRITICAL", "IMPORTANT", "REQUIRED", "WARNING", "ESSENTIAL"];
    // So many words in capitals are no abbreviations.
    const RUN: usize = 4;
    const SAID: [&str; 14] = [
        "you must",
        "must be called",
        "must call",
        "always call",
        "always use",
        "always run",
        "first step",
        "call this first",
        "before any other",
        "before using any",
        "ignore previous",
        "ignore all",
        "do not tell",
        "system prompt",
    ];
    let words: Vec<&str> = sentence.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let is_loud = |word: &&str| word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_uppercase());
    let shouted = words.iter().any(|word| SHOUTED.contains(word))
        || words.first().is_some_and(|first| CRIED.contains(first))
        || (words.windows(RUN).any(|run| run.iter().all(is_loud)) && !sentence.contains([',', '/', '|']));
    let lower = sentence.to_lowercase();
    shouted || SAID.iter().any(|order| lower.contains(order))
}
