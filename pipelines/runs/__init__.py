"""Executions of the pipeline: place inputs, start, follow, fetch results, compute the bill."""
