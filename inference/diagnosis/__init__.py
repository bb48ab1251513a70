"""What is wrong with a model's output on long input, and what to try.

It imports `evaluation`.
"""
