"""What a pipeline's definition means, and what runs it: the same JSON that AWS runs.

https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-overview.html
"""
