"""What freshmix is compared with: one part a file, each with its data, its ways to do one job, and how far off each is.

A part has ``TITLE``, ``data(small=False)``, ``WAYS`` (name -> function of the data) and ``rows(results, data)``, which makes
the lines of a table; ``HEAD`` names its columns. What a way returns comes through a pipe, with seconds and peak memory.
"""

PARTS = ("loops", "table", "kernel", "one_round", "stream", "spectra")
