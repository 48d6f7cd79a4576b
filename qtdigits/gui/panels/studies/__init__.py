"""The *Studies* tab: searches over fields of a recipe, to look at, start, pause and resume."""
