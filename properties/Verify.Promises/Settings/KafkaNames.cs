using System.Collections.Frozen;
using System.Collections.Immutable;

namespace Verify.Promises;

/// <summary>
/// Names of Kafka's own settings that do not act on what is modelled here. A property file may hold them: they are named in the answer as
/// having no effect, so that nobody believes they were judged.
/// </summary>
/// <remarks>Source: Kafka 3.9 and 4.3 broker, topic, producer and consumer configuration pages.</remarks>
public static class KafkaNames
{
    private const string Broker = """
        advertised.listeners alter.config.policy.class.name auto.create.topics.enable auto.leader.rebalance.enable background.threads
        authorizer.class.name broker.id broker.id.generation.enable broker.rack client.quota.callback.class compression.gzip.level
        compression.lz4.level compression.zstd.level connection.failed.authentication.delay.ms connections.max.idle.ms
        connections.max.reauth.ms control.plane.listener.name controlled.shutdown.enable controlled.shutdown.max.retries
        controlled.shutdown.retry.backoff.ms controller.listener.names controller.quorum.append.linger.ms
        controller.quorum.auto.join.enable controller.quorum.bootstrap.servers controller.quorum.election.backoff.max.ms
        controller.quorum.request.timeout.ms controller.quorum.retry.backoff.ms controller.quorum.voters
        controller.performance.sample.period.ms controller.performance.always.log.threshold.ms controller.quota.window.num
        controller.quota.window.size.seconds controller.socket.timeout.ms create.topic.policy.class.name delegation.token.expiry.check.interval.ms
        delegation.token.expiry.time.ms delegation.token.max.lifetime.ms delegation.token.secret.key delete.records.purgatory.purge.interval.requests
        delete.topic.enable early.start.listeners fetch.max.bytes fetch.purgatory.purge.interval.requests group.id
        group.initial.rebalance.delay.ms group.max.session.timeout.ms group.max.size group.min.session.timeout.ms
        initial.broker.registration.timeout.ms inter.broker.listener.name inter.broker.protocol.version kafka.metrics.polling.interval.secs
        kafka.metrics.reporters leader.imbalance.check.interval.seconds leader.imbalance.per.broker.percentage listeners
        listener.security.protocol.map log.cleanup.policy log.dir log.dir.failure.timeout.ms log.dirs log.flush.interval.ms
        log.flush.offset.checkpoint.interval.ms log.flush.scheduler.interval.ms log.flush.start.offset.checkpoint.interval.ms
        log.index.interval.bytes log.index.size.max.bytes log.initial.task.delay.ms log.local.retention.bytes log.local.retention.ms
        log.message.downconversion.enable log.message.format.version log.message.timestamp.after.max.ms
        log.message.timestamp.before.max.ms log.message.timestamp.difference.max.ms log.message.timestamp.type
        log.retention.check.interval.ms log.retention.hours log.retention.minutes log.retention.ms log.roll.hours
        log.roll.jitter.hours log.roll.jitter.ms log.roll.ms log.segment.bytes log.segment.delete.delay.ms max.connection.creation.rate
        max.connections max.connections.per.ip max.connections.per.ip.overrides max.incremental.fetch.session.cache.slots
        max.request.partition.size.limit message.max.bytes metadata.log.dir metadata.log.max.record.bytes.between.snapshots
        metadata.log.max.snapshot.interval.ms metadata.log.segment.bytes metadata.log.segment.ms metadata.max.idle.interval.ms
        metadata.max.retention.bytes metadata.max.retention.ms metric.reporters metrics.num.samples metrics.recording.level
        metrics.sample.window.ms node.id num.io.threads num.network.threads num.recovery.threads.per.data.dir
        num.replica.alter.log.dirs.threads num.replica.fetchers offset.metadata.max.bytes offsets.commit.required.acks
        offsets.commit.timeout.ms offsets.load.buffer.size
        offsets.topic.compression.codec offsets.topic.num.partitions offsets.topic.replication.factor offsets.topic.segment.bytes
        password.encoder.secret principal.builder.class producer.id.expiration.check.interval.ms producer.id.expiration.ms
        producer.purgatory.purge.interval.requests queued.max.request.bytes queued.max.requests quota.window.num quota.window.size.seconds
        replica.fetch.backoff.ms replica.fetch.max.bytes replica.fetch.min.bytes replica.fetch.response.max.bytes
        replica.fetch.wait.max.ms replica.high.watermark.checkpoint.interval.ms replica.selector.class replica.socket.receive.buffer.bytes
        replica.socket.timeout.ms replication.quota.window.num replication.quota.window.size.seconds reserved.broker.max.id
        security.inter.broker.protocol server.max.startup.time.ms share.coordinator.state.topic.min.isr
        share.coordinator.state.topic.num.partitions share.coordinator.state.topic.replication.factor socket.connection.setup.timeout.max.ms
        socket.connection.setup.timeout.ms socket.listen.backlog.size socket.receive.buffer.bytes socket.request.max.bytes
        socket.send.buffer.bytes telemetry.max.bytes transaction.abort.timed.out.transaction.cleanup.interval.ms transaction.max.timeout.ms
        transaction.partition.verification.enable transaction.remove.expired.transaction.cleanup.interval.ms
        transaction.state.log.load.buffer.size transaction.state.log.min.isr transaction.state.log.num.partitions
        transaction.state.log.replication.factor transaction.state.log.segment.bytes transaction.two.phase.commit.enable
        transactional.id.expiration.ms unclean.leader.election.interval.ms unstable.api.versions.enable unstable.feature.versions.enable
        zookeeper.connect zookeeper.connection.timeout.ms zookeeper.session.timeout.ms transaction.version group.version share.version metadata.version
        """;

    private const string Topic = """
        cleanup.policy compression.type delete.retention.ms file.delete.delay.ms flush.ms follower.replication.throttled.replicas
        index.interval.bytes leader.replication.throttled.replicas local.retention.bytes local.retention.ms max.compaction.lag.ms
        max.message.bytes message.downconversion.enable message.format.version message.timestamp.after.max.ms
        message.timestamp.before.max.ms message.timestamp.difference.max.ms message.timestamp.type min.cleanable.dirty.ratio
        min.compaction.lag.ms remote.storage.enable retention.ms segment.bytes segment.index.bytes
        segment.jitter.ms segment.ms
        """;

    private const string Client = """
        allow.auto.create.topics auto.commit.interval.ms auto.include.jmx.reporter auto.offset.reset batch.size bootstrap.servers
        buffer.memory check.crcs client.dns.lookup client.id client.rack config.providers default.api.timeout.ms
        enable.metrics.push exclude.internal.topics fetch.max.wait.ms fetch.min.bytes group.instance.id
        group.remote.assignor heartbeat.interval.ms interceptor.classes isolation.level key.deserializer key.serializer linger.ms
        max.block.ms max.partition.fetch.bytes max.poll.interval.ms max.poll.records max.request.size metadata.max.age.ms
        metadata.max.idle.ms metadata.recovery.rebootstrap.trigger.ms metadata.recovery.strategy partition.assignment.strategy
        partitioner.adaptive.partitioning.enable partitioner.availability.timeout.ms partitioner.class partitioner.ignore.keys
        receive.buffer.bytes reconnect.backoff.max.ms reconnect.backoff.ms retry.backoff.max.ms retry.backoff.ms security.protocol
        security.providers send.buffer.bytes session.timeout.ms share.acknowledgement.mode transaction.timeout.ms transactional.id
        transaction.two.phase.commit.enable value.deserializer value.serializer
        """;

    /// <summary>Families whose members are many, or named by the user.</summary>
    private static readonly ImmutableArray<string> Prefixes =
        ["sasl.", "ssl.", "log.cleaner.", "listener.name.", "remote.log.", "group.consumer.", "group.coordinator.", "group.share.", "group.streams.", "client.quota.", "metrics.jmx.", "share.coordinator."];

    /// <summary>Every name listed, in ordinal order.</summary>
    public static ImmutableArray<string> All { get; } =
        [.. $"{Broker} {Topic} {Client}".Split([' ', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries).Distinct().Order(StringComparer.Ordinal)];

    private static readonly FrozenSet<string> Listed = All.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>True for a name of Kafka's that is not in <see cref="SettingCatalogue"/>.</summary>
    public static bool Knows(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return Listed.Contains(name) || Prefixes.Any(p => name.StartsWith(p, StringComparison.Ordinal) && name.Length > p.Length);
    }
}
