"""The version, apart from the API, so that nothing below has to import that."""

__version__ = "0.1.0"
