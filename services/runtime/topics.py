"""Creates topics, compares them with what they should be, and gives partitions their positions."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    GroupCoordinatorNotAvailableError,
    KafkaError,
    NoError,
    TopicAlreadyExistsError,
    for_code,
)

from services.kernel.errors import InvalidInput, Problem, Unreachable
from services.kernel.topics import stream_name
from services.runtime.database import Database
from services.runtime.security import kafka_arguments, unreachable
from services.runtime.settings import Settings
from services.runtime.stream_position import create_streams

REPLICAS_MAX = 3
READY_SECONDS = 30.0
POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class TopicSpecification:
    """A topic as it should be. `config` has Kafka's own names and texts."""

    name: str
    partitions: int
    config: Mapping[str, str] = field(default_factory=dict)


class TopicAdmin:
    """The administration side of one Kafka cluster. Close it, or use it with `async with`."""

    def __init__(self, client: AIOKafkaAdminClient, settings: Settings) -> None:
        self._client = client
        self._settings = settings

    @classmethod
    async def connect(cls, settings: Settings) -> Self:
        """Raises Unreachable when Kafka does not answer."""
        kafka = settings.kafka
        client = AIOKafkaAdminClient(**kafka_arguments(kafka), client_id="milepost-topics")
        try:
            await client.start()
        except (KafkaError, OSError) as error:
            await client.close()
            raise await unreachable(kafka, error) from error
        return cls(client, settings)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.close()

    async def partitions(self, names: Iterable[str] | None = None) -> dict[str, int]:
        """The number of partitions of each topic that exists, of those named or of all."""
        wanted = None if names is None else set(names)
        # Asking for one by name may create it; asking for all does not.
        return {
            topic["topic"]: len(topic["partitions"])
            for topic in await self._client.describe_topics()
            if wanted is None or topic["topic"] in wanted
        }

    async def create(self, specifications: Sequence[TopicSpecification]) -> list[str]:
        """Creates what is missing, waits until it can be used; gives the names created.

        Topics that exist are left as they are. Several may do this at once.
        Raises InvalidInput with every topic that the broker refuses.
        """
        existing = await self.partitions()
        missing = [wanted for wanted in specifications if wanted.name not in existing]
        await self._wake_coordinator()
        if not missing:
            return []
        brokers = len((await self._client.describe_cluster())["brokers"])
        replicas = min(REPLICAS_MAX, brokers)
        response = await self._client.create_topics(
            [
                NewTopic(
                    wanted.name, wanted.partitions, replicas, topic_configs=dict(wanted.config)
                )
                for wanted in missing
            ]
        )
        problems, created = [], []
        for name, code, message in response.topic_errors:
            kind = for_code(code)
            if kind is NoError:
                created.append(name)
            elif kind is not TopicAlreadyExistsError:
                problems.append(Problem(message or kind.__name__, field=f"topic {name}"))
        if problems:
            raise InvalidInput(problems)
        await self._wait_for({wanted.name: wanted.partitions for wanted in missing})
        return created

    async def check(self, specifications: Sequence[TopicSpecification]) -> list[Problem]:
        """What differs from how the topics should be."""
        existing = await self.partitions()
        found = [wanted for wanted in specifications if wanted.name in existing]
        configs = await self._configs([wanted.name for wanted in found])
        problems = [
            Problem("does not exist; run `milepost topics create`", field=f"topic {wanted.name}")
            for wanted in specifications
            if wanted.name not in existing
        ]
        for wanted in found:
            has = existing[wanted.name]
            if has != wanted.partitions:
                why = f"should be {wanted.partitions}; keys would move, so use a new topic"
                where = f"topic {wanted.name} partitions"
                problems.append(Problem(why, field=where, value=str(has)))
            problems += self._differences(wanted, configs[wanted.name])
        return problems

    def _differences(
        self, wanted: TopicSpecification, config: Mapping[str, str]
    ) -> Iterable[Problem]:
        for key, text in wanted.config.items():
            if config.get(key) != text:
                where = f"topic {wanted.name} {key}"
                yield Problem(f"should be {text}", field=where, value=config.get(key))
        fetch_max = self._settings.fetch_partition_bytes_max
        if int(config.get("max.message.bytes", 0)) > fetch_max:
            why = f"is above MILEPOST_FETCH_PARTITION_BYTES_MAX ({fetch_max})"
            where = f"topic {wanted.name} max.message.bytes"
            yield Problem(why, field=where, value=config["max.message.bytes"])

    async def _configs(self, names: Sequence[str]) -> dict[str, dict[str, str]]:
        if not names:
            return {}
        resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
        responses = await self._client.describe_configs(resources)
        return {
            name: {entry[0]: entry[1] for entry in entries}
            for response in responses
            for _, _, _, name, entries in response.resources
        }

    async def _wake_coordinator(self) -> None:
        """Until a group's coordinator is found, if we may ask for one.

        A new broker makes its topic of groups' offsets at the first question, and answers it with
        an error; consumers that start now would log that.
        """
        for _ in range(int(READY_SECONDS / POLL_SECONDS)):
            try:
                await self._client.find_coordinator("milepost")
            except GroupCoordinatorNotAvailableError:
                await asyncio.sleep(POLL_SECONDS)
            except KafkaError:
                return  # Not ours to ask; the groups are found without it.
            else:
                return

    async def _wait_for(self, partitions: Mapping[str, int]) -> None:
        """Until every partition has a leader."""
        for _ in range(int(READY_SECONDS / POLL_SECONDS)):
            described = await self._client.describe_topics()
            led = {
                topic["topic"]: sum(part["leader"] >= 0 for part in topic["partitions"])
                for topic in described
            }
            if all(led.get(name) == count for name, count in partitions.items()):
                return
            await asyncio.sleep(POLL_SECONDS)
        where = ", ".join(self._settings.kafka.bootstrap_servers)
        hint = f"Its new topics have no leader after {READY_SECONDS:.0f} s; see its log."
        raise Unreachable("Kafka", where, hint)


async def create_positions(
    settings: Settings, database: Database, partitions: Mapping[str, int]
) -> None:
    """Gives each partition of these topics its row in `stream_position`, where it has none.

    It starts at the first record that the topic still holds. Raises Unreachable.
    """
    wanted = [TopicPartition(topic, n) for topic, count in partitions.items() for n in range(count)]
    starts = await _first_offsets(settings, wanted)
    async with database.transaction() as connection:
        await create_streams(connection, {stream_name(*part): starts[part] for part in wanted})


async def _first_offsets(
    settings: Settings, partitions: Sequence[TopicPartition]
) -> dict[TopicPartition, int]:
    kafka = settings.kafka
    consumer = AIOKafkaConsumer(**kafka_arguments(kafka), client_id="milepost-topics")
    try:
        await consumer.start()
        found: Any = await consumer.beginning_offsets(list(partitions))
    except (KafkaError, OSError) as error:
        raise await unreachable(kafka, error) from error
    finally:
        await consumer.stop()
    return dict(found)
