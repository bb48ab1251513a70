"""Quality of translations by sentence length: scores, comparison, gate, report.

It imports `translation`.
"""
