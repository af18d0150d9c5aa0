"""Postfix: the lines that make it ask ninsho, printed or written."""
