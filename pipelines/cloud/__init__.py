"""Where a command works: AWS or the local cloud, and what AWS answers when it refuses."""
