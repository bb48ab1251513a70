"""What moto holds in memory, kept in files."""
