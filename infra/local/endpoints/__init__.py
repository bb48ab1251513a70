"""What serves: endpoints, their configs and variants, fleets and their replacement."""
