using Broker.Runtime;

namespace Verify.Clients;

/// <summary>What every client needs to find its cluster. Defaults are Kafka's.</summary>
public sealed record ConnectionSettings(IReadOnlyList<Endpoint> Bootstrap)
{
    public string ClientId { get; init; } = "mqverify";

    /// <summary>socket.connection.setup.timeout.ms: includes the exchange of supported versions.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>request.timeout.ms: an answer that takes longer closes the connection.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>reconnect.backoff.ms, doubled with each failure up to <see cref="MaxReconnectBackoff"/>, give or take a fifth.</summary>
    public TimeSpan ReconnectBackoff { get; init; } = TimeSpan.FromMilliseconds(50);

    public TimeSpan MaxReconnectBackoff { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>retry.backoff.ms, doubled with each attempt up to <see cref="MaxRetryBackoff"/>, give or take a fifth. Bounds metadata refreshes too.</summary>
    public TimeSpan RetryBackoff { get; init; } = TimeSpan.FromMilliseconds(100);

    public TimeSpan MaxRetryBackoff { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>metadata.max.age.ms.</summary>
    public TimeSpan MetadataMaxAge { get; init; } = TimeSpan.FromMinutes(5);
}

/// <summary>A producer's settings under Kafka's meanings and defaults.</summary>
public sealed record ProducerSettings(ConnectionSettings Connection)
{
    /// <summary>0: the broker does not answer; 1: the leader has it; -1: all in-sync replicas have it.</summary>
    public short Acks { get; init; } = -1;

    /// <summary>Further attempts after the first.</summary>
    public int Retries { get; init; } = int.MaxValue;

    public bool EnableIdempotence { get; init; } = true;

    /// <summary>max.in.flight.requests.per.connection: requests without an answer yet, per broker.</summary>
    public int MaxInFlight { get; init; } = 5;

    /// <summary>delivery.timeout.ms: from the call until its outcome.</summary>
    public TimeSpan DeliveryTimeout { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>linger.ms: how long a batch waits for company.</summary>
    public TimeSpan Linger { get; init; } = TimeSpan.Zero;

    /// <summary>batch.size: a batch that would grow beyond it is closed.</summary>
    public int BatchBytes { get; init; } = 16 * 1024;

    /// <summary>max.request.size: a larger record is refused at once.</summary>
    public int MaxRequestBytes { get; init; } = 1024 * 1024;

    /// <summary>buffer.memory: what waits beyond it is refused at once.</summary>
    public long BufferBytes { get; init; } = 32 * 1024 * 1024;

    /// <exception cref="ArgumentException">A combination that Kafka refuses too.</exception>
    public void Validate()
    {
        if (Acks is not (-1 or 0 or 1)) throw new ArgumentException($"acks must be 0, 1 or all, not {Acks}");
        if (Retries < 0) throw new ArgumentException("retries must not be negative");
        if (MaxInFlight < 1) throw new ArgumentException("max.in.flight.requests.per.connection must be at least 1");
        if (DeliveryTimeout < Linger + Connection.RequestTimeout)
            throw new ArgumentException("delivery.timeout.ms must be at least linger.ms + request.timeout.ms");
        if (!EnableIdempotence) return;
        if (Acks != -1) throw new ArgumentException("enable.idempotence needs acks=all");
        if (Retries == 0) throw new ArgumentException("enable.idempotence needs retries");
        if (MaxInFlight > 5) throw new ArgumentException("enable.idempotence needs max.in.flight.requests.per.connection of at most 5");
    }
}

/// <summary>auto.offset.reset: where to read when there is no position, or one outside of the log.</summary>
public enum OffsetReset : byte
{
    Earliest,
    Latest,

    /// <summary>Nowhere: the incident is reported and the caller has to seek.</summary>
    None,
}

/// <summary>A consumer's settings under Kafka's meanings and defaults.</summary>
public sealed record ConsumerSettings(ConnectionSettings Connection)
{
    public OffsetReset OffsetReset { get; init; } = OffsetReset.Latest;

    /// <summary>isolation.level=read_committed.</summary>
    public bool ReadCommitted { get; init; }

    /// <summary>fetch.max.wait.ms: how long a leader may wait for data.</summary>
    public TimeSpan FetchMaxWait { get; init; } = TimeSpan.FromMilliseconds(500);

    public int FetchMinBytes { get; init; } = 1;

    public int FetchMaxBytes { get; init; } = 50 * 1024 * 1024;

    /// <summary>max.partition.fetch.bytes.</summary>
    public int PartitionMaxBytes { get; init; } = 1024 * 1024;

    /// <summary>max.poll.records.</summary>
    public int MaxPollRecords { get; init; } = 500;
}
