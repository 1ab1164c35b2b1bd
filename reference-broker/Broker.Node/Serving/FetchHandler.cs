using Broker.Node.Rpc;
using Broker.Protocol;
using Broker.Runtime;

namespace Broker.Node.Serving;

/// <summary>Serves consumers up to the high watermark and followers up to the log end; waits for news up to the time the request allows.</summary>
/// <remarks>Sessions (KIP-227) are declined: session id 0. Topics go by name up to version 12, by id from 13. Divergence: KIP-595.</remarks>
public sealed class FetchHandler(IHost host, PartitionTable partitions, BrokerIdentity identity, IsrKeeper isr)
{
    private const int NewSession = 0, NoSession = -1;

    public async ValueTask<FetchResponse?> HandleAsync(FetchRequest request, RequestContext context)
    {
        if (request.SessionEpoch is not (NewSession or NoSession)) return new FetchResponse { ErrorCode = ErrorCode.FetchSessionIdNotFound };   // none was ever given
        var replica = context.Header.Version >= 15 ? request.ReplicaState.ReplicaId : request.ReplicaId;
        var byId = context.Header.Version >= 13;
        var wanted = Wanted(request, byId, replica);
        foreach (var fetch in wanted) Admit(fetch, replica, request.ReplicaState.ReplicaEpoch);

        if (!wanted.Exists(fetch => fetch.HasSomethingToSay(replica >= 0)))
        {
            var hosted = wanted.ConvertAll(fetch => fetch.Partition!);
            await HostedPartition.WaitAsync(host.Time, hosted, () => wanted.Exists(fetch => fetch.HasSomethingToSay(replica >= 0)), TimeSpan.FromMilliseconds(request.MaxWaitMs));
            foreach (var fetch in wanted) fetch.Check();               // roles and logs may have changed meanwhile
        }
        return Answer(request, wanted, replica >= 0);
    }

    private List<PartitionFetch> Wanted(FetchRequest request, bool byId, int replica)
    {
        var wanted = new List<PartitionFetch>();
        foreach (var topic in request.Topics)
            foreach (var asked in topic.Partitions)
            {
                var partition = byId ? partitions.Find(topic.TopicId, asked.Partition) : partitions.Find(topic.Topic, asked.Partition);
                var unknown = byId && identity.Image.Topic(topic.TopicId) is null ? ErrorCode.UnknownTopicId : ErrorCode.UnknownTopicOrPartition;
                wanted.Add(new PartitionFetch(asked, partition, unknown, replica));
            }
        return wanted;
    }

    private void Admit(PartitionFetch fetch, int replica, long brokerEpoch)
    {
        fetch.Check();
        if (replica < 0 || fetch.Error != ErrorCode.None || fetch.Diverging is not null) return;
        fetch.Partition!.Core.FollowerFetched(replica, brokerEpoch, fetch.Asked.FetchOffset, host.Time.Monotonic());
        isr.Fetched(fetch.Partition, replica);
    }

    private static FetchResponse Answer(FetchRequest request, List<PartitionFetch> wanted, bool isFollower)
    {
        var answer = new FetchResponse();
        var (next, room) = (0, request.MaxBytes);
        foreach (var topic in request.Topics)
        {
            var answered = new FetchableTopicResponse { Topic = topic.Topic, TopicId = topic.TopicId };
            foreach (var _ in topic.Partitions)
            {
                var data = wanted[next++].Answer(isFollower, room);
                room = Math.Max(0, room - (data.Records?.Length ?? 0));
                answered.Partitions.Add(data);
            }
            answer.Responses.Add(answered);
        }
        return answer;
    }

    /// <summary>One partition of one fetch.</summary>
    private sealed class PartitionFetch(FetchPartition asked, HostedPartition? partition, ErrorCode unknown, int replica)
    {
        public FetchPartition Asked { get; } = asked;

        public HostedPartition? Partition { get; } = partition;

        public ErrorCode Error { get; private set; }

        public FetchResponse.EpochEndOffset? Diverging { get; private set; }

        public void Check()
        {
            Diverging = null;
            Error = Problem();
            if (Error != ErrorCode.None || Partition!.Core.Divergence(Asked.LastFetchedEpoch, Asked.FetchOffset) is not { } end) return;
            Diverging = new FetchResponse.EpochEndOffset { Epoch = end.Epoch, EndOffset = end.EndOffset };
        }

        public bool HasSomethingToSay(bool isFollower) =>
            Error != ErrorCode.None || Diverging is not null || !Partition!.Core.IsLeader || Partition.Core.HasNews(isFollower, Asked.FetchOffset);

        public FetchResponse.PartitionData Answer(bool isFollower, int room)
        {
            var answer = new FetchResponse.PartitionData { PartitionIndex = Asked.Partition, ErrorCode = Error, HighWatermark = -1, Records = ReadOnlyMemory<byte>.Empty };
            if (Error != ErrorCode.None) return answer;
            var core = Partition!.Core;
            answer.HighWatermark = answer.LastStableOffset = core.HighWatermark;
            answer.LogStartOffset = core.Log.LogStartOffset;
            if (Diverging is { } diverging) answer.DivergingEpoch = diverging;
            else if (room > 0) answer.Records = core.Log.Read(Asked.FetchOffset, core.VisibleEnd(isFollower), Math.Min(room, Asked.PartitionMaxBytes));
            return answer;
        }

        private ErrorCode Problem()
        {
            if (Partition is not { Core: var core }) return unknown;
            var fenced = core.Fence(Asked.CurrentLeaderEpoch);
            if (fenced != ErrorCode.None) return fenced;
            if (!core.IsLeader) return ErrorCode.NotLeaderOrFollower;
            if (replica >= 0 && !core.HasFollower(replica)) return Asked.CurrentLeaderEpoch >= 0 ? ErrorCode.UnknownLeaderEpoch : ErrorCode.NotLeaderOrFollower;   // one of us may not know of it yet
            var parted = core.Divergence(Asked.LastFetchedEpoch, Asked.FetchOffset) is not null;
            return parted || core.Log.IsReadable(Asked.FetchOffset) ? ErrorCode.None : ErrorCode.OffsetOutOfRange;
        }
    }
}
