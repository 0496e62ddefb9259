import readerstudy.missing_packages  # noqa: F401 (the import says which extra to install)
