"""The image that every job and endpoint runs: recipe, build, and push to ECR."""
