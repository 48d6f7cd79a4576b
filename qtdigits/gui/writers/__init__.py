"""The people who draw, and how well what was learned from one reads the others."""
