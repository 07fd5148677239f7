"""The data that every world starts from: pure functions of a seed and of what is asked for.

In reading order: chance (integers), words (Faker's), timeline, layouts (how records are numbered), datafile and reading
(data.yaml), kitchen and recipes (american, finnish, amounts, texts, references; guesses and patterns where there is no recipe),
moments, makers (property -> what computes it), rows (a record while it is made), tables (the records, and looking for them;
counted and marked: by the digits in a text); selection and matching stand by themselves.
"""

from mock_server.seeded.caches import Bounded
from mock_server.seeded.datafile import DataFile
from mock_server.seeded.matching import compiled, instant, matches, values
from mock_server.seeded.reading import read
from mock_server.seeded.selection import Selection
from mock_server.seeded.tables import Baseline, Table

__all__ = ["Baseline", "Bounded", "DataFile", "Selection", "Table", "compiled", "instant", "matches", "read", "values"]
