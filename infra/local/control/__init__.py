"""SageMaker's API as such: calls, shapes, documents, lists, tags, clients."""
