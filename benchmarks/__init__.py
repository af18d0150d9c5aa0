"""ninsho beside its peers, measured in one run on one machine, and told as ratios."""
