"""Invitations of readers and colleagues: accounts, enrolments, sign-in links and mails in one step, and reminders."""
