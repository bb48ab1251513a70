"""What an account needs for longspan, as one CloudFormation template, and the way to deploy it."""
