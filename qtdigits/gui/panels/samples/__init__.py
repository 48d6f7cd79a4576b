"""The drawings that were kept: looked at by the ten thousand, changed, checked, brought in and out."""
