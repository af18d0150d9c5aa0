"""HTML: its text, its styles, its images. Nothing is fetched; the files of one folder are read, where one is told."""
