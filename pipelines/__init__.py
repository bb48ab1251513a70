"""The `longspan` command and the SageMaker Pipeline. Importing it does not import torch.

It imports `inference` and `training`.
"""
