"""The service under load: an installation, a study with many readers, and a cheap client."""
