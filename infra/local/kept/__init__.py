"""What moto holds in memory, kept in files: read through AWS's API and put back by it."""
