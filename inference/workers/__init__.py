"""Processes that hold a model, their messages, and the lanes that share it among requests.

It imports `translation` and `requests`.
"""
