"""SageMaker's API: calls, shapes, documents, threads, lists, tags, clients.

It may import `runtimes`, for the type of the runtime that all services share.
"""
