"""The people of a study: invitations and mails, and the participation of each reader."""
