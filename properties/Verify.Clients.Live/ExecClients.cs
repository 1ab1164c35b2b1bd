using Broker.Runtime;
using Chaos.Live;

namespace Verify.Clients.Live;

/// <summary>Makes clients of somebody else's, each a process of its own, from settings under Kafka's names.</summary>
/// <param name="folder">Holds a folder for each process.</param>
/// <param name="scope">Hears of clients that end by themselves, or say what nobody understands.</param>
public sealed class ExecClients(IHost host, TaskScope scope, ClientProgram program, LiveFolder folder) : IDisposable
{
    /// <summary>retry.backoff.ms, as every client is told.</summary>
    internal const int RetryBackoffMs = 100;

    /// <summary>A request that is still without an answer so long after its own time is up never gets one.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly List<ClientProcess> processes = [];

    public async Task<IProducer> ProducerAsync(ProducerSettings settings)
    {
        var process = Start("producer");
        await process.OpenAsync("producer", SettingsOf(settings));
        return new ExecProducer(host, process, settings.DeliveryTimeout + Patience, settings.EnableIdempotence);
    }

    public async Task<ILogReader> ReaderAsync(ConsumerSettings settings)
    {
        var process = Start("reader");
        await process.OpenAsync("consumer", [.. SettingsOf(settings), new("enable.auto.commit", "false")]);
        return new ExecReader(scope, process);
    }

    /// <param name="isClassic">By the classic group protocol; otherwise by the newer one (KIP-848).</param>
    public ExecMember Member(GroupConsumerSettings settings, bool isClassic, IGroupWatcher? watcher) =>
        new(heard => Start("member", heard), process => process.OpenAsync("consumer", SettingsOf(settings, isClassic)), settings.Commits, watcher);

    public void Dispose()
    {
        foreach (var process in processes) process.Dispose();
    }

    private ClientProcess Start(string kind, Action<System.Text.Json.JsonElement>? heard = null)
    {
        var name = $"{kind}-{processes.Count}";
        processes.Add(new ClientProcess(host, scope, program, name, folder.Of(name), heard));
        return processes[^1];
    }

    private static IEnumerable<KeyValuePair<string, string>> SettingsOf(ConnectionSettings settings) =>
    [
        new("bootstrap.servers", string.Join(',', settings.Bootstrap)), new("client.id", settings.ClientId), Ms("request.timeout.ms", settings.RequestTimeout),
        new("retry.backoff.ms", $"{RetryBackoffMs}"), Ms("metadata.max.age.ms", settings.MetadataMaxAge),
    ];

    private static IEnumerable<KeyValuePair<string, string>> SettingsOf(ProducerSettings settings) =>
    [
        .. SettingsOf(settings.Connection), new("acks", settings.Acks == -1 ? "all" : $"{settings.Acks}"), new("retries", $"{settings.Retries}"),
        new("enable.idempotence", settings.EnableIdempotence ? "true" : "false"), new("max.in.flight.requests.per.connection", $"{settings.MaxInFlight}"),
        Ms("delivery.timeout.ms", settings.DeliveryTimeout),
    ];

    private static IEnumerable<KeyValuePair<string, string>> SettingsOf(ConsumerSettings settings) =>
    [
        .. SettingsOf(settings.Connection), new("auto.offset.reset", settings.OffsetReset.ToString().ToLowerInvariant()), new("isolation.level", settings.ReadCommitted ? "read_committed" : "read_uncommitted"),
        new("max.poll.records", $"{settings.MaxPollRecords}"),
    ];

    /// <remarks>Sessions and heartbeats of the newer protocol are the broker's; Kafka's client refuses to be told. An old client knows the classic one alone, and not its name.</remarks>
    private static IEnumerable<KeyValuePair<string, string>> SettingsOf(GroupConsumerSettings settings, bool isClassic) =>
    [
        .. SettingsOf(settings.Consumer), new("group.id", settings.GroupId), new("enable.auto.commit", settings.Commits is CommitPolicy.Automatic ? "true" : "false"),
        Ms("auto.commit.interval.ms", settings.AutoCommitInterval), Ms("max.poll.interval.ms", settings.MaxPollInterval),
        .. isClassic ? [Ms("session.timeout.ms", settings.SessionTimeout), Ms("heartbeat.interval.ms", settings.HeartbeatInterval)] : (KeyValuePair<string, string>[])[new("group.protocol", "consumer")],
        .. settings.InstanceId is { } instance ? (KeyValuePair<string, string>[])[new("group.instance.id", instance)] : [],
    ];

    private static KeyValuePair<string, string> Ms(string name, TimeSpan time) => new(name, $"{(long)time.TotalMilliseconds}");
}
