"""Preparation: from pairs of text to a prepared folder, as `longspan prepare` writes it.

It imports `pairs`, `tokenizer` and `corpus`.
"""
