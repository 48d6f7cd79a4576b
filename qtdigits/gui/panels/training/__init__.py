"""The *Training* tab: choose a recipe, train, watch, and decide about the result."""
