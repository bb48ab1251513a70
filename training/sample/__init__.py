"""The sample corpus: an English-Japanese grammar of the project's own, and its generator."""
