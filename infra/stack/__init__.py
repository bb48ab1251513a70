"""CloudFormation template with all that an account needs for longspan, and its deployment."""
