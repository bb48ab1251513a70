"""Beam search and greedy search over a model's output.

It imports `training` alone, and knows nothing of compression or kernels.
"""
