using System.Collections.Immutable;

namespace Verify.Promises;

/// <summary>
/// What really bit in one run, as the journal shows it; never what the schedule merely asked for. Everything at its default says that
/// nothing happened, and then everything is promised.
/// </summary>
public sealed record RunEvidence
{
    public static readonly RunEvidence Quiet = new();

    /// <summary>Faults that bit, by fault word, with how often.</summary>
    public ImmutableSortedDictionary<string, int> Faults { get; init; } = ImmutableSortedDictionary<string, int>.Empty;

    /// <summary>Connections between a client and a broker that died, for whatever reason.</summary>
    public int ConnectionsDied { get; init; }

    /// <summary>Produce requests that a broker refused.</summary>
    public int Refusals { get; init; }

    /// <summary>Batches that a client sent more than once.</summary>
    public int Retries { get; init; }

    /// <summary>The most sessions (producer ids) that one idempotent producer went through.</summary>
    public int ProducerSessions { get; init; } = 1;

    /// <summary>Terms of office after the first of each partition; the same node's second term is one.</summary>
    public int LeaderChanges { get; init; }

    public int UncleanElections { get; init; }

    /// <summary>Elections of the last known leader when nobody eligible was left (KIP-966).</summary>
    public int LastKnownLeaderElections { get; init; }

    /// <summary>
    /// The most replicas of one partition that lost power between two moments at which its ISR was full, each node counted once. The start
    /// and the end of the run count as such moments.
    /// </summary>
    public int PowerLossesBeforeFullIsr { get; init; }

    /// <summary>The same, for replicas whose disk lost data already synced: a lying fsync, bit rot, a disk that died.</summary>
    public int DiskLossesBeforeFullIsr { get; init; }

    /// <summary><see cref="PowerLossesBeforeFullIsr"/> of the partitions in which consumer groups keep their offsets; those of the topic under test count there.</summary>
    public int OffsetsPowerLossesBeforeFullIsr { get; init; }

    /// <summary><see cref="DiskLossesBeforeFullIsr"/> of the partitions in which consumer groups keep their offsets.</summary>
    public int OffsetsDiskLossesBeforeFullIsr { get; init; }

    /// <summary>Processes of members of consumer groups that died.</summary>
    public int MemberCrashes { get; init; }

    /// <summary>Assignments after the first of each partition in its group.</summary>
    public int Rebalances { get; init; }

    /// <summary>Commits that were refused or whose outcome their members never learnt.</summary>
    public int CommitsUnconfirmed { get; init; }

    /// <summary>Commits of unknown outcome whose members had a later one confirmed in the same generation: the coordinator may get the two in either order.</summary>
    public int CommitsOvertaken { get; init; }

    /// <summary>Times at which a member asked where its group stands while a broker took itself for the coordinator and another had taken office.</summary>
    public int StaleCoordinators { get; init; }

    /// <summary>Committed offsets that expired while their group had no members.</summary>
    public int OffsetsExpired { get; init; }

    /// <summary>The most replicas of one partition that could not come back before the run ended.</summary>
    public int ReplicasGone { get; init; }

    /// <summary>Brokers and controllers on whose disk a stored bit flipped: no leader of a log serves what is corrupt in it, that of the metadata log no more than others.</summary>
    public int NodesRotten { get; init; }

    /// <summary>Voters of the metadata quorum, and how many of them lost synced data or could not come back.</summary>
    public int Controllers { get; init; } = 3;

    public int ControllersGone { get; init; }

    /// <summary>
    /// For one partition: the most distinct replicas that lost power between two moments of full ISR. The maximum over partitions is
    /// <see cref="PowerLossesBeforeFullIsr"/>.
    /// </summary>
    public static int MostBeforeFullIsr(IEnumerable<PowerLoss> losses, IEnumerable<long> fullIsrAt)
    {
        var moments = fullIsrAt.Order().ToArray();
        return losses.GroupBy(loss => moments.Count(at => at < loss.At)).Select(window => window.Select(loss => loss.Node).Distinct().Count()).DefaultIfEmpty(0).Max();
    }
}
