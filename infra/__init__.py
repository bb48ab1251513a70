"""What an AWS account needs, and the local cloud that stands in for it.

It imports `training`.
"""
