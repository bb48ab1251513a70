"""Containers as processes or in Docker. Nothing here knows of SageMaker."""
