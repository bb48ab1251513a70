"""What a run would create and cost, before it runs."""
