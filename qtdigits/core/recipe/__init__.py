"""What determines a training: the fields of a recipe, as values, as text and as files."""
