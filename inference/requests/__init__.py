"""Forms of requests and of their answers: media types, JSON, CSV, text, options.

It imports `translation` and `search`.
"""
