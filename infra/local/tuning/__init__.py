"""How a tuning job searches: its space, its strategies, when jobs stop, what requests are refused."""
