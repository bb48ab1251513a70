"""A local AWS: SageMaker's control plane that really runs its jobs, on this machine."""
