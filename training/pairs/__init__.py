"""Aligned pairs of text from files of any format, before any tokens.

It imports no other folder of `training`.
"""
