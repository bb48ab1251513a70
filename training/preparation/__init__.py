"""One run from pairs of text to a prepared folder.

It imports `pairs`, `tokenizer` and `corpus`.
"""
