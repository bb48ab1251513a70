"""What a pipeline definition means: text, parameters, expressions, conditions, graph."""
