"""The local cloud: SageMaker's API on this machine, with jobs and endpoints that really run.

`cloud` composes the folders. Each may import those to its right:

    moto         gate                   control   runtimes
    tuning                              control   runtimes
    jobs, endpoints, pipeline   models   containers   control   runtimes
"""
