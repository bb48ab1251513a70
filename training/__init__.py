"""Everything the job image runs: corpus, tokenizer, model, trainer, evaluation."""
