"""The generated corpus: a grammar of English and Japanese, and the files that it fills."""
