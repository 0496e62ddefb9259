"""The API of the lab: jobs, and what they made. Coordinators see the progress of jobs; the rest is for researchers."""
