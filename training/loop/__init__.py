"""Training: the loop, its updates, loss, schedule, validation, checkpoints and ranks.

It imports `model`, `tokenizer` and `corpus`.
"""
