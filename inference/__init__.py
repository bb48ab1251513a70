"""From a model to translations: search, serving, evaluation, diagnosis.

It imports `training`.
"""
