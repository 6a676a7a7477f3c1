"""Why it happened and what to do: causes, reasons in words, lines that would allow it, advice."""
