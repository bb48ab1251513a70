"""Pipelines: the meaning of a definition, and its executions, from the same JSON that AWS runs.

It may import `control`, and the reasons of failures in `containers`.

https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-overview.html
"""
