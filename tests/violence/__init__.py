"""Real processes, databases, disks and networks, and what becomes of a run when they are taken away."""
