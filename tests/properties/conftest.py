"""How many random examples the properties try: ten thousand in all, always the same, or more.

`PROPERTIES_FACTOR=5` tries five times as many, other ones on every run. Hypothesis does not
shrink here: `histories.hold` drops the steps that a failing history does not need.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, settings

FACTOR = int(os.environ.get("PROPERTIES_FACTOR", "1"))

settings.register_profile(
    "milepost",
    max_examples=2000 * FACTOR,
    derandomize=FACTOR == 1,
    database=None,
    deadline=None,
    print_blob=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
settings.load_profile("milepost")


@pytest.fixture(scope="module", autouse=True)
def _profile() -> Iterator[None]:
    """It holds where these tests run as well, not only where they are collected: some of them take
    their examples then."""
    before = settings.get_current_profile_name()
    settings.load_profile("milepost")
    yield
    settings.load_profile(before)
