"""Executions of pipelines: their steps, schedule, cache and records."""
