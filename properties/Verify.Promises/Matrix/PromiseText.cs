using System.Collections.Immutable;

namespace Verify.Promises;

/// <summary>Kinds of trouble a promise is judged under, apart from each other; all are healed in the end.</summary>
/// <param name="Word">As in the catalogue: N, K, P1, P+, D1, C.</param>
public sealed record FaultClass(string Word, string Name, string Says)
{
    public static readonly FaultClass Network = new("N", "network", "messages dropped, delayed, held; connections reset; partitions");

    public static readonly FaultClass Kill = new("K", "kills", "processes killed, paused, restarted; disks and page caches intact");

    public static readonly FaultClass PowerOfFew = new("P1", "power, few", "fewer than min.insync.replicas replicas lose what was not synced, before the ISR is full again");

    public static readonly FaultClass PowerOfMany = new("P+", "power, many", "min.insync.replicas replicas or more lose what was not synced together");

    public static readonly FaultClass Disk = new("D1", "one disk", "one replica's disk is gone or corrupt");

    public static readonly FaultClass Clock = new("C", "clocks", "clocks jump or drift");

    public static ImmutableArray<FaultClass> All { get; } = [Network, Kill, PowerOfFew, PowerOfMany, Disk, Clock];
}

/// <summary>How strong a promise is. In JSON: <c>keep</c>, <c>hold</c>, <c>permitted</c>.</summary>
public enum PromiseLevel
{
    /// <summary>Kept, and work goes on.</summary>
    Keep,

    /// <summary>Kept, but sends or reads may have to wait until the fault is over.</summary>
    Hold,

    /// <summary>The configuration permits a violation, for one of the excuses named.</summary>
    Permitted,
}

public sealed record ClassPromise(FaultClass Class, PromiseLevel Level, ImmutableArray<Excuse> Excuses);

public sealed record GuaranteePromise(GuaranteeDescription Guarantee, ImmutableArray<ClassPromise> ByClass);

/// <summary>What a configuration promises before anything runs: the matrix of promises asked about the worst run of each fault class.</summary>
public sealed record PromiseText(Configuration Configuration, ImmutableArray<GuaranteePromise> Guarantees, ImmutableArray<TradeOff> TradeOffs)
{
    public static PromiseText Of(Configuration configuration) => new(
        configuration,
        [.. GuaranteeCatalogue.All.Where(g => configuration.HasGroups || !GuaranteeCatalogue.IsOfGroups(g.Name)).Select(g => new GuaranteePromise(g, [.. FaultClass.All.Select(f => Promise(configuration, g, f))]))],
        [.. TradeOffCatalogue.Of(configuration)]);

    /// <summary>The worst that can happen in a run that meets this class alone.</summary>
    public static RunEvidence WorstRun(Configuration configuration, FaultClass faults)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var minimum = configuration.EffectiveMinInsyncReplicas;
        var disturbed = new RunEvidence { ConnectionsDied = 1, Refusals = 1, LeaderChanges = 1, Retries = configuration.Retries > 0 ? 1 : 0 };
        if (configuration.HasGroups) disturbed = disturbed with { Rebalances = 1, CommitsUnconfirmed = 1, MemberCrashes = faults.Word == "K" ? 1 : 0 };
        var leaderless = disturbed with { UncleanElections = configuration.UncleanLeaderElection ? 1 : 0 };
        return faults.Word switch
        {
            "N" or "K" => leaderless,
            "P1" => leaderless with { PowerLossesBeforeFullIsr = Math.Max(1, minimum - 1) },
            "P+" => leaderless with { PowerLossesBeforeFullIsr = configuration.ReplicationFactor, OffsetsPowerLossesBeforeFullIsr = configuration.HasGroups ? PromiseMatrix.OffsetsMinIsr + 1 : 0, LastKnownLeaderElections = configuration.EligibleLeaderReplicas ? 1 : 0 },
            "D1" => leaderless with { DiskLossesBeforeFullIsr = 1, ReplicasGone = 1, NodesRotten = 1 },
            "C" => disturbed with { OffsetsExpired = configuration.HasGroups && configuration.WasGiven(SettingCatalogue.OffsetsRetention) ? 1 : 0 },
            _ => throw new ArgumentException($"no such fault class: {faults.Word}", nameof(faults)),
        };
    }

    private static ClassPromise Promise(Configuration configuration, GuaranteeDescription guarantee, FaultClass faults)
    {
        var worst = WorstRun(configuration, faults);
        ImmutableArray<Excuse> excuses = [.. guarantee.Anomalies.SelectMany(a => PromiseMatrix.PossibleExcuses(configuration, worst, a)).Distinct()];
        return new ClassPromise(faults, excuses.IsEmpty ? Unbroken(configuration, guarantee, faults) : PromiseLevel.Permitted, excuses);
    }

    /// <summary>
    /// Keeping records costs waiting where the faults can take so many replicas that fewer than min.insync.replicas are in sync; with one
    /// replica in sync being enough, a partition of the network leaves someone to go on.
    /// </summary>
    private static PromiseLevel Unbroken(Configuration configuration, GuaranteeDescription guarantee, FaultClass faults)
    {
        if (guarantee.Name != "no-lost-writes") return PromiseLevel.Keep;
        var goesOn = faults.Word switch
        {
            "N" => configuration is { EffectiveMinInsyncReplicas: 1, ReplicationFactor: > 1 },
            "K" or "P+" => false,
            _ => true,
        };
        return goesOn ? PromiseLevel.Keep : PromiseLevel.Hold;
    }
}
