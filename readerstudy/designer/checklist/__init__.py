"""The checklist beside the form: what keeps a draft from being locked, and advice."""
