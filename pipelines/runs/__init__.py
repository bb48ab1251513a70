"""Executions of the pipeline: start, follow, fetch, bill."""
