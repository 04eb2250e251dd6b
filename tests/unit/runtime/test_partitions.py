"""Keys go to the partitions that every other client of Kafka would choose."""

from __future__ import annotations

import pytest

from services.runtime.producer import partition_for

# Hashes as the Java client computes them (the vectors of its own test), with the sign removed.
KNOWN = [
    (b"21", -973932308),
    (b"foobar", -790332482),
    (b"a-little-bit-long-string", -985981536),
    (b"a-little-bit-longer-string", -1486304829),
    (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
    (b"abc", 479470107),
]


@pytest.mark.parametrize(("key", "murmur2"), KNOWN)
@pytest.mark.parametrize("partitions", [1, 3, 8, 50])
def test_the_partition_is_that_of_the_default_partitioner(
    key: bytes, murmur2: int, partitions: int
) -> None:
    assert partition_for(key, partitions) == (murmur2 & 0x7FFFFFFF) % partitions
