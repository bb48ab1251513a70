"""Text in, text out: splitting, translating, joining again.

It imports `search` and `compression`.
"""
