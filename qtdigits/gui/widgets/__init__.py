"""What every page is made of; nothing here knows what the program is about."""
