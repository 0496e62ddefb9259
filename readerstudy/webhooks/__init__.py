"""Webhooks: signed messages to other programs when a session is finished, a study closed or a job over."""
