"""The sandbox, module by module."""
