"""What differs between two schemas, by structure and not by text."""
