using Broker.Core.Groups;
using Broker.Core.Replication;
using Broker.Node.Rpc;
using Broker.Protocol;
using Broker.Runtime;

namespace Broker.Node.Serving;

/// <summary>Deletes the records below an offset (KIP-107): here, durably, and on every replica that is alive, or says after the request's time that it could not see that.</summary>
/// <remarks>Errors, for each partition: INVALID_TOPIC_EXCEPTION for the topic of groups, UNKNOWN_TOPIC_OR_PARTITION, NOT_LEADER_OR_FOLLOWER, POLICY_VIOLATION, OFFSET_OUT_OF_RANGE, REQUEST_TIMED_OUT.</remarks>
public sealed class DeleteRecordsHandler(IHost host, PartitionTable partitions, BrokerIdentity identity, ReplicationRules rules)
{
    public async ValueTask<DeleteRecordsResponse?> HandleAsync(DeleteRecordsRequest request, RequestContext context)
    {
        var answer = new DeleteRecordsResponse();
        List<Trim> trims = [];
        foreach (var topic in request.Topics)
        {
            var answered = new DeleteRecordsResponse.DeleteRecordsTopicResult { Name = topic.Name };
            foreach (var asked in topic.Partitions)
            {
                var trim = new Trim(asked.Offset, partitions.Find(topic.Name, asked.PartitionIndex), new() { PartitionIndex = asked.PartitionIndex, LowWatermark = -1 });
                if (topic.Name == OffsetsTopic.Name) trim.Answer.ErrorCode = ErrorCode.InvalidTopicException;
                else if (trim.Partition is null) trim.Answer.ErrorCode = ErrorCode.UnknownTopicOrPartition;
                else trims.Add(trim);
                answered.Partitions.Add(trim.Answer);
            }
            answer.Topics.Add(answered);
        }
        foreach (var step in rules.TrimSteps()) await DoAsync(step, trims, TimeSpan.FromMilliseconds(request.TimeoutMs));
        foreach (var trim in trims) Conclude(trim);
        return answer;
    }

    private async Task DoAsync(TrimStep step, List<Trim> trims, TimeSpan timeout)
    {
        switch (step)
        {
            case TrimStep.MoveStart:
                foreach (var trim in trims) trim.Begin();
                break;
            case TrimStep.SaveStart:
                foreach (var trim in trims.Where(static trim => trim.HasBegun)) await trim.Core.Log.SaveStartAsync();
                break;
            case TrimStep.AwaitReplicas:
                var begun = trims.FindAll(static trim => trim.HasBegun);
                if (!begun.TrueForAll(IsOver)) await HostedPartition.WaitAsync(host.Time, begun.ConvertAll(static trim => trim.Partition!), () => begun.TrueForAll(IsOver), timeout);
                break;
            default: throw new InvalidOperationException($"unknown step {step}");
        }
    }

    /// <summary>Done everywhere, or no longer this leader's to tell.</summary>
    private bool IsOver(Trim trim) => !StillLeads(trim) || rules.IsTrimmed(trim.Core.LowWatermark(IsAlive), trim.MovedTo);

    private void Conclude(Trim trim)
    {
        if (!trim.HasBegun) return;
        if (!StillLeads(trim))
        {
            trim.Answer.ErrorCode = ErrorCode.NotLeaderOrFollower;
            return;
        }
        trim.Answer.LowWatermark = trim.Core.LowWatermark(IsAlive);
        if (!rules.IsTrimmed(trim.Answer.LowWatermark, trim.MovedTo)) trim.Answer.ErrorCode = ErrorCode.RequestTimedOut;
    }

    private bool StillLeads(Trim trim) => trim.Core.IsLeader && rules.StillLeads(trim.LeaderEpoch, trim.Core.LeaderEpoch);

    private bool IsAlive(int broker) => identity.Image.Broker(broker) is { Fenced: false };

    /// <summary>One partition of one request.</summary>
    private sealed class Trim(long offset, HostedPartition? partition, DeleteRecordsResponse.DeleteRecordsPartitionResult answer)
    {
        public HostedPartition? Partition { get; } = partition;

        public Partition Core => Partition!.Core;

        public DeleteRecordsResponse.DeleteRecordsPartitionResult Answer { get; } = answer;

        public bool HasBegun { get; private set; }

        public int LeaderEpoch { get; private set; }

        /// <summary>The first offset to be kept.</summary>
        public long MovedTo { get; private set; }

        public void Begin()
        {
            LeaderEpoch = Core.LeaderEpoch;
            Answer.ErrorCode = Core.Trim(offset, out var movedTo);
            (MovedTo, HasBegun) = (movedTo, Answer.ErrorCode == ErrorCode.None);
        }
    }
}
