"""The runs that were kept: listed, compared, steered, thrown away and taken back."""
