"""Log lines: what they must not hold, and their form, as text for people or as JSON for programs."""
