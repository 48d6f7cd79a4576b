"""The *Drawings* tab: the stored samples, to look at, change, review, import and export."""
