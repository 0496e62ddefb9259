"""The designer: pages on which a study is made, edited, rehearsed, locked, moved and closed.

`form` is the form of a protocol, `checklist` what a draft lacks, `pages` the views.

They may ask `truth` what a cohort lacks for a protocol, as counts; they show no image and no truth of one.
"""
