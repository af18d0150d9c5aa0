"""Settings for all tests."""

from hypothesis import HealthCheck, settings

# Machines that run tests are busy: how long one example takes says nothing.
settings.register_profile("ninsho", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ninsho")
