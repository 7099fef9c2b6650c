"""The durable memory of what was reported."""
