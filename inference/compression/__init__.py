"""A model made fast for serving: 8-bit weights, through torch or through kernels in C."""
