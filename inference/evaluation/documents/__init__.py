"""Quality of the same documents at any length: as rows, as groups of rows, and whole.

It imports `bootstrap` of the folder above, which imports it.
"""
