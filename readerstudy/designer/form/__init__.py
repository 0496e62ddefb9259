"""The form of a protocol: its fields, what was typed into them, and what its buttons do."""
