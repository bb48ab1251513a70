"""Runtimes: containers as local processes or in Docker.

It imports no other folder of the local cloud, and knows nothing of SageMaker.
"""
