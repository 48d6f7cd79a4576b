"""Reports: one HTML file about a writer or a study that opens anywhere, without network, and prints."""
