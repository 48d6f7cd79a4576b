"""Building blocks of all panels, which know nothing of digits and trainings."""
