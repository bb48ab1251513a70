"""Training, processing and transform jobs: their requests, their runs, their status.

It may import `models`, `containers`, `control` and `runtimes`.
"""
