"""How well drawings are read, how sure that is, and which of two readers is better."""
