"""The `longspan` command and the SageMaker Pipeline. Never imports torch at module level."""
