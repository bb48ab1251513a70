"""Processes that hold a model, their messages, and the scheduler that share it among requests.

It imports `translation` and `requests`.
"""
