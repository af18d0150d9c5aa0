"""Settings for all tests."""

from hypothesis import settings

# Machines that run tests are busy: how long one example takes says nothing.
settings.register_profile("ninsho", deadline=None, max_examples=100)
settings.load_profile("ninsho")
