"""Connections to AWS or to the local cloud, and messages for the errors that AWS answers."""
