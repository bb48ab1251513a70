"""Jobs that the steps of a pipeline run in the container.

No module of this folder may import boto3 or sagemaker, which the image lacks.
"""
