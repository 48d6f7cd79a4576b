"""Trainings as they are asked for, wait in line, run, and end."""
