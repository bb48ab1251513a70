"""What jobs and endpoints share when they run containers: start, watch, ask, log, fail."""
