"""Model files, and the library of those that there are. h5py is used here only."""
