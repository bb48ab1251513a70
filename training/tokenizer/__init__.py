"""Text to token ids and back, and the training of vocabularies.

It imports no other folder of `training`.
"""
