"""How many random examples a unit's properties try: enough to find a slip, few enough to wait for.

Without this they would take the profile of `tests/properties`, which is imported before them.
"""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("unit", max_examples=200, derandomize=True, database=None, deadline=None)
settings.load_profile("unit")
