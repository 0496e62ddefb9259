"""What a study tells and asks its readers beside the images: consent, characteristics, messages, and the end page."""
