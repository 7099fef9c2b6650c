"""One call as a person composes it: its fields, its form, the request it becomes, and the answer to it."""
