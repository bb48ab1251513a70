"""How a tuning job searches: its space, strategies, stopping rules, refusals, results."""
