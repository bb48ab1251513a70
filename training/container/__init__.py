"""SageMaker's container contract: where a job finds and leaves things, and as which user."""
