"""Use cases: each opens what it needs, does one thing, and tells how it went. Import single modules from here."""
