"""Models and the model registry: containers to serve, and their data.

It may import `containers` and `control`.
"""
