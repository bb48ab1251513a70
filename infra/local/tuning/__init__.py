"""Hyperparameter tuning: the service, its search space, strategies and stopping rules."""
