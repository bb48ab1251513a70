"""Aligned pairs of text from files of any format. Nothing here knows of tokens."""
