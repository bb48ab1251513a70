"""Endpoints: their configs and variants, and the fleets of containers that serve.

It may import `models`, `containers`, `control` and `runtimes`.
"""
