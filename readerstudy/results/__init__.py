"""Results of jobs as typed values: numbers and keys without words, stored as JSON and shown by `experiments.tables`.

Pure: the learning packages create these values, the web side reads them. `readerstudy.serialise` converts them.
"""
