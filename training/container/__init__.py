"""SageMaker's container contract: the paths of a job, and the user that it runs as.

It imports no other folder of `training`.
"""
