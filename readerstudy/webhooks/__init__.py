"""Webhooks: other programs are told that a session is finished, a study closed or a job over."""
