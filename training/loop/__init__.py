"""The training loop: updates, loss, learning rates, validation, checkpoints and ranks.

It imports `model`, `tokenizer` and `corpus`.
"""
