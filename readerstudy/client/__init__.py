"""A Python client of the API, on httpx. Imports neither Django nor any other part of the web side but its errors."""
