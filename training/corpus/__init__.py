"""Pairs as token ids: shards, batches, and the data of SageMaker's built-in algorithm."""
