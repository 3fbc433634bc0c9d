//! Every decision about what enters a model's context: tokens, signatures, descriptions, summaries, budgets.
