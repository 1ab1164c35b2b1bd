using Broker.Runtime;

namespace Broker.Core.Quorum;

/// <summary>What a voter must remember over a restart. Source: Raft figure 2 (currentTerm, votedFor); KIP-595, "quorum-state" file.</summary>
/// <param name="Epoch">The newest epoch this voter has heard of; 0 before the first election. Never goes back.</param>
/// <param name="VotedFor">Who got this voter's vote in <paramref name="Epoch"/>; <see cref="NodeId.None"/> when nobody did.</param>
/// <param name="Leader">Who leads <paramref name="Epoch"/>; <see cref="NodeId.None"/> while unknown.</param>
public sealed record QuorumState(int Epoch, NodeId VotedFor, NodeId Leader)
{
    /// <summary>A voter that has never run.</summary>
    public static readonly QuorumState Initial = new(0, NodeId.None, NodeId.None);
}

/// <summary>What a voter is doing in the current epoch. Source: KIP-595, "Quorum State".</summary>
public enum QuorumRole
{
    /// <summary>Knows no leader; may have voted.</summary>
    Unattached,

    /// <summary>Asks for votes.</summary>
    Candidate,

    /// <summary>Won the epoch.</summary>
    Leader,

    /// <summary>Fetches from the epoch's leader.</summary>
    Follower,

    /// <summary>Led this epoch and gave it up, on purpose, by a restart, or because it was cut off. Never leads the same epoch again.</summary>
    Resigned,
}

/// <summary>The quorum's times, all on the monotonic clock.</summary>
/// <param name="ElectionTimeout">A voter without a leader waits this long, plus up to as much again by chance, before it stands for election (controller.quorum.election.timeout.ms).</param>
/// <param name="FetchTimeout">A follower gives its leader up after this long without an answer, plus up to half by chance (controller.quorum.fetch.timeout.ms);
/// a leader gives itself up after one and a half times as long without fetches of a majority (KAFKA-15489).</param>
/// <param name="FetchMaxWait">How long a leader may hold a fetch that has no news.</param>
/// <param name="RequestTimeout">After this long without an answer a request is sent anew.</param>
/// <param name="RetryBackoff">The pause after a failed or refused request.</param>
public sealed record QuorumSettings(
    TimeSpan ElectionTimeout, TimeSpan FetchTimeout, TimeSpan FetchMaxWait, TimeSpan RequestTimeout, TimeSpan RetryBackoff)
{
    /// <summary>Kafka's defaults: 1 s election, 2 s fetch, 500 ms wait, 2 s request, 20 ms backoff.</summary>
    public static readonly QuorumSettings Kafka = new(
        TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2), TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(2), TimeSpan.FromMilliseconds(20));

    /// <summary>How long a leader does without a majority's fetches.</summary>
    public TimeSpan CheckQuorumTimeout => FetchTimeout * 1.5;
}
