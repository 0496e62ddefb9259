"""The audit trail's pages: events as sentences, filters, rights of people, reviews."""
