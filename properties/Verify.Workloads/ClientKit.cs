using Broker.Runtime;
using Verify.Clients;

namespace Verify.Workloads;

/// <summary>How a workload comes by its clients: our own, or somebody else's behind the same interfaces.</summary>
public sealed record ClientKit(Func<IHost, IProducer> Producer, Func<IHost, ILogConsumer> Reader, Func<IHost, IAdmin> Admin)
{
    /// <summary>Who reads along while records are written.</summary>
    public Func<IHost, ILogReader> Follower { get; init; } = Reader;

    /// <summary>A member of a group; null where there are no groups.</summary>
    public Func<IHost, MemberPlan, IGroupWatcher?, IGroupMember>? Member { get; init; }

    /// <summary>Who asks where the group of a member stands, without joining it.</summary>
    public Func<IHost, MemberPlan, IGroupConsumer>? Asker { get; init; }
}

/// <summary>The numbers under which clients appear in a history.</summary>
public static class Processes
{
    public const int FirstReader = 100;

    public const int FirstFinalReader = 200;

    public const int FirstMember = 300;

    /// <summary>Who checks, after the last fault has healed, that the cluster takes new work.</summary>
    public const int Prober = 90;
}
