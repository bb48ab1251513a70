"""Installing what the lock pins, into this environment or for the image.

Runs before anything is installed, so it imports the standard library alone.
"""
