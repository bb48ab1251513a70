"""The HTTP server, and SageMaker's handler functions beside it.

It imports `requests`, `workers` and the folders below them.
"""
