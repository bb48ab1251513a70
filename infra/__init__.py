"""Infrastructure: the image, the stack of an AWS account, and the local cloud in its place.

It may import `longspan.training`.
"""
