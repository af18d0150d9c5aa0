"""What a rendered template cannot carry."""


class NeedsComposing(Exception):
    """A row's values do not go into the places that are there: its message must be composed in full."""
