"""What the steps of a pipeline run in the container.

Nothing here may import boto3 or sagemaker, which the image does not have.
"""
