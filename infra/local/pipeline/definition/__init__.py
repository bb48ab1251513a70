"""Meaning of a pipeline definition: text, parameters, expressions, conditions, graph."""
