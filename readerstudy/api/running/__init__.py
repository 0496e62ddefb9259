"""Running a study by the API: its draft, its moves, its readers and their mails, and the figures of the monitor."""
