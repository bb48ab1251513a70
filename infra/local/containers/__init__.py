"""Containers of jobs and endpoints: start, watch, invoke, log, and reasons of failures.

It may import `control` and `runtimes`.
"""
