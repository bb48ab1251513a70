"""From files of aligned pairs to token shards: reading, cleaning, splitting, tokenising."""
