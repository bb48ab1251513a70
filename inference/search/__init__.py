"""Beam search and greedy search over a model's output."""
