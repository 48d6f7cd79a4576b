"""The curves of trainings: painted, looked at closely, chosen from, and saved as files."""
