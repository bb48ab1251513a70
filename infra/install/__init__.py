"""Installation of the packages that a lock pins, into this environment or for the image.

It runs before anything is installed, so it imports only the standard library.
"""
