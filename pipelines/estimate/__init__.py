"""Estimates before a run: the resources that it would create, and their cost."""
