"""Persistence of the state that moto holds in memory, in files of one folder per service."""
