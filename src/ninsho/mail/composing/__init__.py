"""A message out of plain words: what it says, for whom, in which charset; no file is read that was not named."""
