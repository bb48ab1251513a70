"""The HTTP server: one process that speaks HTTP, and workers that hold the model."""
