"""Personal data of everybody with an account: a copy for the person, erasure, and retention."""
