"""The same job done by several clients against one server: see README.md in this folder."""
