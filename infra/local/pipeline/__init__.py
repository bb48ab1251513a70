"""Pipelines: the meaning of a definition, and its executions, from the same JSON that AWS runs.

https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-overview.html
"""
