"""The image that every job and endpoint runs: its recipe, its build, its way to ECR."""
