"""What a request may say and what its answer looks like: media types, JSON, CSV, text, options."""
