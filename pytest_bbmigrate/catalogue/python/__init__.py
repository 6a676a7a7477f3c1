"""Python migrations as text: their syntax tree, what they declare, what they import; never run."""
