"""Problems of a model with long input, and remedies.

It imports `translation` and `evaluation`.
"""
