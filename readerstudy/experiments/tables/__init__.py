"""Results of jobs as tables, for pages, the terminal and files."""
