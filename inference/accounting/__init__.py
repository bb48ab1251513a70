"""Accounting: source spans that a translation omits, target spans that it repeats, their repair.

It imports `search`.
"""
