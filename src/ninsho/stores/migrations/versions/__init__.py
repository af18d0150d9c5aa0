"""The revisions, each in a file of its own; schema.REVISION names the newest."""
