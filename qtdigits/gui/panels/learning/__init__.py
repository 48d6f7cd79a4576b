"""The *Learning* tab."""
