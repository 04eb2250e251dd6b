"""What fails in these modules is explained as if it stood in the test itself."""

import pytest

pytest.register_assert_rewrite("tests.simulation.checks", "tests.simulation.proof")
