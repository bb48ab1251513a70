"""Training, processing and transform jobs: their requests, their runs, their status."""
