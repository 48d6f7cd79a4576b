"""All that is on disk: drawings and judgements, model files, and the data that others bring.

sqlite3, h5py, pandas and PIL are used here only.
"""
