using System.Buffers.Binary;
using Broker.Protocol;
using Broker.Runtime;

namespace Broker.Node.Serving;

/// <summary>Registers this life of the broker with the controller, keeps its session by heartbeats, and leaves in an orderly way (KIP-631, KIP-966).</summary>
public sealed class Registration(IHost host, BrokerSettings settings, BrokerIdentity identity, ControllerLink controller)
{
    private readonly Guid incarnation = NewIncarnation(host.Random);
    private readonly string markerPath = $"{settings.LogDirectory}/clean-shutdown";
    private readonly Signal stopped = new(host.Time);
    private bool wantsShutdown;
    private bool mayStop;

    /// <summary>The broker epoch of the life that ended with everything flushed, -1 when the last one did not. The marker is used up before anything is served.</summary>
    public async Task<long> TakeCleanShutdownMarkerAsync()
    {
        if (!host.Disk.Exists(markerPath)) return -1;
        using var marker = host.Disk.Open(markerPath);
        var bytes = new byte[8];
        var whole = marker.Read(0, bytes) == 8;
        host.Disk.Delete(markerPath);
        await host.Disk.FlushDirectoryAsync(settings.LogDirectory);
        return whole ? BinaryPrimitives.ReadInt64BigEndian(bytes) : -1;
    }

    public async Task LeaveCleanShutdownMarkerAsync()
    {
        using var marker = host.Disk.Open(markerPath);
        var bytes = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(bytes, identity.BrokerEpoch);
        marker.Write(0, bytes);
        await marker.FlushAsync();
        await host.Disk.FlushDirectoryAsync(settings.LogDirectory);
    }

    public async Task RegisterAsync(long previousBrokerEpoch)
    {
        var request = new BrokerRegistrationRequest
        {
            BrokerId = settings.Id.Value,
            ClusterId = "mqverify",
            IncarnationId = incarnation,
            Listeners = [new BrokerRegistrationRequest.Listener { Name = "PLAINTEXT", Host = settings.Endpoint.Host, Port = (ushort)settings.Endpoint.Port }],
            PreviousBrokerEpoch = previousBrokerEpoch,
        };
        while (true)
        {
            var answer = await controller.AskAsync<BrokerRegistrationRequest, BrokerRegistrationResponse>(request, 3, answer => answer.ErrorCode == ErrorCode.NotController);
            if (answer is { ErrorCode: ErrorCode.None })
            {
                identity.BrokerEpoch = answer.BrokerEpoch;
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

    private static Guid NewIncarnation(Prng random)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, random.NextUInt64());
        BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], random.NextUInt64());
        return new Guid(bytes);
    }
}
