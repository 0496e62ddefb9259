"""The designer: pages on which a study is made, edited, rehearsed, locked, moved and closed.

They may ask `truth` what a cohort lacks for a protocol, as counts; they show no image and no truth of one.
"""
