"""What is measured, one case a file; each has one function, ``run``."""
