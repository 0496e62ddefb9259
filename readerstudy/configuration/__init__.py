"""What an installation sets and what it may not: settings, environment variables, roles of the database."""
