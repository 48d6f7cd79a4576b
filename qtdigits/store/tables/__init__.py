"""What lies in `samples.db`: writers, classes, drawings, judgements, known runs and the queue. sqlite3 is used here only."""
