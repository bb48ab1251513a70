"""Translation of texts: splitting them, translating the parts, joining the translations.

It imports `search` and `compression`.
"""
