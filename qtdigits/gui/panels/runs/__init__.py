"""The *Runs* tab: earlier trainings, to look at, compare, resume, extend and delete."""
