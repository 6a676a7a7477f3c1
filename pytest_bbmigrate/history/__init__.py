"""Which database this is, which migrations it has, and which are to run or to be rolled back."""
