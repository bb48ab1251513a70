"""A model made fast for serving: eight-bit weights, through torch or through kernels in C.

It imports `search` and `training`.
"""
