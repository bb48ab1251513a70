"""What runs a pipeline: executions, steps, schedule, cache, records."""
