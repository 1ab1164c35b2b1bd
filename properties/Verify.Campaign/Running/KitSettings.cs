using Broker.Runtime;
using Verify.Clients;
using Verify.Promises;
using Verify.Workloads;

namespace Verify.Campaign.Running;

/// <summary>The times of members of groups.</summary>
internal sealed record MemberPace(TimeSpan Session, TimeSpan Heartbeat, TimeSpan MaxPoll, TimeSpan AutoCommit)
{
    /// <summary>Scaled like the others: sessions end, and members that are not polled leave, several times in a run.</summary>
    public static readonly MemberPace Simulated = new(TimeSpan.FromMilliseconds(1500), TimeSpan.FromMilliseconds(400), TimeSpan.FromSeconds(2), TimeSpan.FromMilliseconds(700));

    /// <summary>A busy machine keeps these; commits come more often than what is in a member's hands is processed.</summary>
    public static readonly MemberPace Live = new(TimeSpan.FromSeconds(3), TimeSpan.FromMilliseconds(500), TimeSpan.FromMinutes(1), TimeSpan.FromMilliseconds(200));
}

/// <summary>How a configuration becomes clients.</summary>
internal sealed class KitSettings(Configuration settings, IReadOnlyList<Endpoint> bootstrap, MemberPace pace)
{
    private readonly ConnectionSettings connection = new(bootstrap)
    {
        ConnectTimeout = settings.RequestTimeout,
        RequestTimeout = settings.RequestTimeout,
        MetadataMaxAge = TimeSpan.FromSeconds(5),
    };

    public ProducerSettings Producer => new(connection)
    {
        Acks = (short)(settings.Acks switch { Acks.Zero => 0, Acks.One => 1, _ => -1 }),
        Retries = settings.Retries,
        EnableIdempotence = settings.Idempotence,
        MaxInFlight = settings.MaxInFlight,
        DeliveryTimeout = settings.DeliveryTimeout,
    };

    public ConsumerSettings Reader => new(connection) { OffsetReset = OffsetReset.Earliest, FetchMaxWait = settings.RequestTimeout * 0.8 };

    public GroupConsumerSettings MemberOf(MemberPlan member) => new(Reader with { MaxPollRecords = member.Batch }, member.GroupId)
    {
        InstanceId = member.InstanceId,
        SessionTimeout = pace.Session,
        HeartbeatInterval = pace.Heartbeat,
        MaxPollInterval = pace.MaxPoll,
        AutoCommitInterval = pace.AutoCommit,
        Commits = settings.Commit switch
        {
            Commit.Before => CommitPolicy.BeforeProcessing,
            Commit.After => CommitPolicy.AfterProcessing,
            Commit.Auto => CommitPolicy.Automatic,
            _ => throw new InvalidOperationException("nobody subscribes"),
        },
    };

    /// <summary>Clients of our own.</summary>
    public ClientKit Own(TaskScope scope, Func<ClientRules> rules) => new(
        host => new WireProducer(host, scope, Producer, rules()),
        host => new WireConsumer(host, scope, Reader, rules()),
        host => new WireAdmin(host, scope, connection, rules()))
    {
        Member = (host, member, watcher) => new WireGroupConsumer(host, scope, MemberOf(member), rules(), watcher),
        Asker = (host, member) => new WireGroupConsumer(host, scope, MemberOf(member), rules()),
    };
}
