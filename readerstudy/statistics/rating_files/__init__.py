"""Ratings in the files of other programs: iMRMC, MRMCaov and RJafroc; written and read.

>>> from readerstudy.statistics.rating_files import read_mrmcaov, ratings_of, write_mrmcaov
>>> ratings = ratings_of([1, 3, 2], [0, 1, 1], ["R1", "R1", "R1"], ["a", "b", "c"], ["3", "3", "3"])
>>> print(write_mrmcaov(ratings), end="")
reader,treatment,case,truth,rating
R1,3,a,0,1
R1,3,b,1,3
R1,3,c,1,2
>>> read_mrmcaov(write_mrmcaov(ratings)).score.tolist()
[1.0, 3.0, 2.0]
"""

from readerstudy.statistics.rating_files.ratings import Ratings, UnsafeLabel, ratings_of
from readerstudy.statistics.rating_files.rjafroc import NotCrossed, read_rjafroc, write_rjafroc
from readerstudy.statistics.rating_files.text import read_imrmc, read_mrmcaov, write_imrmc, write_mrmcaov

__all__ = [
    "NotCrossed",
    "Ratings",
    "UnsafeLabel",
    "ratings_of",
    "read_imrmc",
    "read_mrmcaov",
    "read_rjafroc",
    "write_imrmc",
    "write_mrmcaov",
    "write_rjafroc",
]
