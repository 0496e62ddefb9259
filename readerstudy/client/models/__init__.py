"""The JSON of the API as typed dictionaries, made from its schema by tools/client_models.py."""
