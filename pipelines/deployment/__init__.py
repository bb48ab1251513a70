"""Endpoints outside of a pipeline run: deploy, roll back, scale, list, delete."""
