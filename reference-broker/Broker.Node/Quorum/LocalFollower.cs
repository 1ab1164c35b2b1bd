using Broker.Protocol;

namespace Broker.Node.Quorum;

/// <summary>
/// How a broker that is a voter too learns the metadata: from its own voter, which fetches for both. As an observer of its own it would fetch under the voter's id; the leader would take
/// its fetches for the voter's, give it entries that are not committed, and count as stored what it only read. Source: Kafka's combined mode, one raft client for both roles (KIP-500).
/// </summary>
/// <param name="report">As with <see cref="MetadataFollower"/>.</param>
public sealed class LocalFollower(QuorumNode voter, Action<RecordBatch> report)
{
    private long next;

    /// <summary>Follows for ever.</summary>
    public Task FollowAsync()
    {
        voter.Committed += _ => Report();
        Report();
        return new TaskCompletionSource().Task;
    }

    private void Report()
    {
        foreach (var batch in new RecordBatches(voter.ReadCommitted(next)))
        {
            next = batch.NextOffset;
            report(batch);
        }
    }
}
