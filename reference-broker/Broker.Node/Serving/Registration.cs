using System.Buffers.Binary;
using System.Text;
using Broker.Protocol;
using Broker.Runtime;

namespace Broker.Node.Serving;

/// <summary>Registers this life of the broker with the controller, keeps its session by heartbeats, and leaves in an orderly way (KIP-631, KIP-966).</summary>
public sealed class Registration(IHost host, BrokerSettings settings, BrokerIdentity identity, ControllerLink controller)
{
    private const string Flushed = "flushed";

    private readonly Guid incarnation = NewIncarnation(host.Random);
    private readonly string lifePath = $"{settings.LogDirectory}/life";
    private readonly Signal stopped = new(host.Time);
    private bool wantsShutdown;
    private bool mayStop;

    /// <summary>The broker epoch of the life before, if nothing it wrote can have been lost since; otherwise -1.</summary>
    /// <remarks>
    /// Nothing is lost when that life ended in good order, everything flushed, or when only the process died: the page cache, told by
    /// <see cref="IDisk.CacheIdentity"/>, is still the same. Kafka takes every end without order for a loss (KIP-966); the loss is what counts.
    /// </remarks>
    public long PreviousBrokerEpoch()
    {
        if (!host.Disk.Exists(lifePath)) return -1;
        using var file = host.Disk.Open(lifePath);
        var bytes = new byte[file.Length];
        if (file.Read(0, bytes) != bytes.Length || bytes.Length < sizeof(long)) return -1;
        var cache = Encoding.UTF8.GetString(bytes.AsSpan(sizeof(long)));
        return cache == Flushed || cache == host.Disk.CacheIdentity ? BinaryPrimitives.ReadInt64BigEndian(bytes) : -1;
    }

    /// <summary>Notes that this life ends with everything flushed.</summary>
    public async Task EndInOrderAsync()
    {
        using var file = NoteLife(Flushed);
        await file.FlushAsync();
        await host.Disk.FlushDirectoryAsync(settings.LogDirectory);
    }

    /// <summary>The disk failed: what the page cache still shows is not to be trusted by the next life.</summary>
    public void DisownLife()
    {
        if (host.Disk.Exists(lifePath)) host.Disk.Delete(lifePath);
    }

    public async Task RegisterAsync(long previousBrokerEpoch)
    {
        var told = settings.Advertised ?? settings.Endpoint;
        var request = new BrokerRegistrationRequest
        {
            BrokerId = settings.Id.Value,
            ClusterId = "mqverify",
            IncarnationId = incarnation,
            Listeners = [new BrokerRegistrationRequest.Listener { Name = "PLAINTEXT", Host = told.Host, Port = (ushort)told.Port }],
            PreviousBrokerEpoch = previousBrokerEpoch,
        };
        while (true)
        {
            var answer = await controller.AskAsync<BrokerRegistrationRequest, BrokerRegistrationResponse>(request, 3, answer => answer.ErrorCode == ErrorCode.NotController);
            if (answer is { ErrorCode: ErrorCode.None })
            {
                identity.BrokerEpoch = answer.BrokerEpoch;
                NoteLife(host.Disk.CacheIdentity).Dispose();
                return;
            }
            await host.Time.DelayAsync(settings.Backoff);              // also while the session of the life before has not ended (DUPLICATE_BROKER_REGISTRATION)
        }
    }

    public async Task KeepSessionAsync()
    {
        while (!mayStop)
        {
            var answer = await controller.AskAsync<BrokerHeartbeatRequest, BrokerHeartbeatResponse>(
                new BrokerHeartbeatRequest
                {
                    BrokerId = settings.Id.Value,
                    BrokerEpoch = identity.BrokerEpoch,
                    CurrentMetadataOffset = identity.Image.Offset,
                    WantShutDown = wantsShutdown,
                },
                1,
                answer => answer.ErrorCode == ErrorCode.NotController);
            mayStop = answer is { ErrorCode: ErrorCode.None, ShouldShutDown: true };
            if (!mayStop) await host.Time.DelayAsync(answer is { IsFenced: false } or null ? settings.HeartbeatInterval : settings.HeartbeatInterval / 4);
        }
        stopped.Set();
    }

    /// <summary>Asks the controller to move this broker's leaderships away; returns when it has, or when the time is up.</summary>
    public async Task LeaveAsync(TimeSpan limit)
    {
        wantsShutdown = true;
        await stopped.WaitAsync(limit);
    }

    private IFile NoteLife(string cache)
    {
        var bytes = new byte[sizeof(long) + Encoding.UTF8.GetByteCount(cache)];
        BinaryPrimitives.WriteInt64BigEndian(bytes, identity.BrokerEpoch);
        Encoding.UTF8.GetBytes(cache, bytes.AsSpan(sizeof(long)));
        var file = host.Disk.Open(lifePath);
        file.Truncate(0);
        file.Write(0, bytes);
        return file;
    }

    private static Guid NewIncarnation(Prng random)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, random.NextUInt64());
        BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], random.NextUInt64());
        return new Guid(bytes);
    }
}
