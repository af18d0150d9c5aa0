"""Lists of accounts as text, read and written: no store and no database here, only lines and what they mean."""
