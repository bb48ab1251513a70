"""Aligned pairs of text from files of any format, before any tokens.

It imports no other folder of `training`. `contents` picks the reader of a format: `delimited`,
`parallel`, `json_rows`, `columnar`, `tmx`, `xliff` or `po`.
"""
