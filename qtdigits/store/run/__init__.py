"""What a run leaves in its folder: where it stands, how it came out, and the drawings behind its scores."""
