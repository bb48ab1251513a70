"""Processes that hold a model, their messages, and the scheduler of the searches of one process.

It imports `search` and `translation`.
"""
