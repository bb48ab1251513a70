"""The generated corpus: a grammar of English and Japanese, and the files written by it.

It imports no other folder of `training`.
"""
