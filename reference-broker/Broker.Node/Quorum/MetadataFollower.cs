using Broker.Core.Quorum;
using Broker.Protocol;
using Broker.Runtime;

namespace Broker.Node.Quorum;

/// <summary>
/// The observer in a broker: fetches the committed metadata log from whichever voter leads and reports it batch by batch.
/// </summary>
/// <remarks>
/// It keeps nothing on disk: after a restart it fetches again from offset 0. Observers are given committed entries only, and those are
/// never taken back; a leader whose log says otherwise breaks an invariant, which stops the broker.
/// </remarks>
/// <param name="report">Gets every committed batch once, in order from offset 0, control batches included.</param>
public sealed class MetadataFollower(
    IHost host, IReadOnlyList<QuorumVoter> voters, QuorumSettings times, QuorumRules rules, Action<RecordBatch> report, int maxBytes = 1 << 20)
{
    private readonly PeerConnection[] connections = [.. voters.Select(voter => new PeerConnection(host, voter.Endpoint, times.RequestTimeout))];
    private int asked;
    private int epoch;
    private int lastFetchedEpoch;

    /// <summary>After the last batch reported.</summary>
    public long NextOffset { get; private set; }

    /// <summary>What the leader said last is committed (exclusive).</summary>
    public long HighWatermark { get; private set; }

    /// <summary>The leader that last gave an answer, or was named by another voter; <see cref="NodeId.None"/> while unknown.</summary>
    public NodeId Leader { get; private set; } = NodeId.None;

    /// <summary>Follows for ever.</summary>
    public async Task FollowAsync()
    {
        while (true)
        {
            if (await FetchOnceAsync()) continue;
            await host.Time.DelayAsync(times.RetryBackoff);
        }
    }

    /// <summary>False when the one asked did not help; another one is asked next.</summary>
    private async Task<bool> FetchOnceAsync()
    {
        var request = new QuorumRequest.Fetch(epoch, host.Id, NextOffset, lastFetchedEpoch, times.FetchMaxWait);
        var answer = QuorumWire.Read(await connections[asked].AskAsync<FetchRequest, FetchResponse>(
            QuorumWire.Write(request, maxBytes), QuorumWire.FetchVersion, times.FetchMaxWait + times.RequestTimeout));
        if (answer is null)
        {
            AskNext();
            return false;
        }
        if (rules.IsNewerEpoch(answer.Epoch, epoch)) (epoch, Leader) = (answer.Epoch, NodeId.None);
        if (answer.Error != QuorumError.None)
        {
            Ask(answer.Leader);
            return false;
        }
        Leader = answer.Leader;
        Invariant.Holds(answer.Diverging is null);                         // what is committed is never taken back
        foreach (var batch in answer.Batches) Report(batch);
        if (rules.Advances(HighWatermark, answer.HighWatermark)) HighWatermark = answer.HighWatermark;
        return true;
    }

    private void Report(QuorumBatch batch)
    {
        Invariant.Holds(rules.Continues(batch.BaseOffset, NextOffset));
        Invariant.Holds(RecordBatch.TryRead(batch.Bytes, out var reported, out _));
        (NextOffset, lastFetchedEpoch) = (batch.NextOffset, batch.Epoch);
        report(reported);
    }

    private void Ask(NodeId leader)
    {
        for (var i = 0; i < voters.Count; i++)
        {
            if (!rules.IsFromLeader(voters[i].Id, leader) || i == asked) continue;
            (asked, Leader) = (i, leader);
            return;
        }
        AskNext();
    }

    private void AskNext() => asked = (asked + 1) % voters.Count;
}
