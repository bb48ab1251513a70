"""Models that answer requests: their data, their containers, and what keeps those alive."""
