"""Hyperparameter tuning: the service, its search space, strategies and stopping rules.

It may import `control`; training jobs come in through an interface.
"""
