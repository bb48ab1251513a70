"""Models and the model registry: what can be served."""
