"""What training, processing and transform jobs share: data in, containers, logs, data out."""
