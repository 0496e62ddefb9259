"""A Python client of the API, on httpx. Imports neither Django nor any other part of the web side but its errors.

`InvestigatorClient` is for coordinators and researchers, `reader_client.ReaderClient` for readers without eyes.
"""

from readerstudy.client.investigator_client import InvestigatorClient, JobFailed, ask_for_token
from readerstudy.client.problems import ApiError, NoAnswer
from readerstudy.client.retries import Retries

__all__ = ["ApiError", "InvestigatorClient", "JobFailed", "NoAnswer", "Retries", "ask_for_token"]
