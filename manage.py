#!/usr/bin/env python
"""Django's command line."""

from readerstudy.command_line import main

if __name__ == "__main__":
    main()
