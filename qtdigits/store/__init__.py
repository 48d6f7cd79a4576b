"""Everything on disk: samples and judgements, models, runs, and files of other programs.

sqlite3, h5py, pandas and PIL are used here only.
"""
