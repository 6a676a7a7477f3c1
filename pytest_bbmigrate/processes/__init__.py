"""Child processes of ours: start them, exchange messages, end them, and handle signals."""
