"""Invitations of readers: accounts, enrolments, sign-in links and mails in one step, and reminders."""
