using Broker.Core.Fetching;
using Broker.Node.Rpc;
using Broker.Protocol;
using Broker.Runtime;

namespace Broker.Node.Serving;

/// <summary>Serves consumers up to the high watermark and followers up to the log end; waits for news up to the time the request allows.</summary>
/// <remarks>Incremental fetches in sessions: KIP-227. Topics go by name up to version 12, by id from 13. Divergence: KIP-595.</remarks>
public sealed class FetchHandler(IHost host, PartitionTable partitions, BrokerIdentity identity, IsrKeeper isr, FetchSessions sessions)
{
    /// <summary>Of one answer, however much is asked for: Kafka's default of the broker's fetch.max.bytes.</summary>
    private const int MostBytes = 55 * 1024 * 1024;

    public async ValueTask<FetchResponse?> HandleAsync(FetchRequest request, RequestContext context)
    {
        var replica = context.Header.Version >= 15 ? request.ReplicaState.ReplicaId : request.ReplicaId;
        var byId = context.Header.Version >= 13;
        var session = sessions.Open(request, byId, host.Time.Monotonic());
        if (session.Error != ErrorCode.None) return new FetchResponse { ErrorCode = session.Error };
        var wanted = session.Asked.Select(asked => Wanted(asked.Partition, asked.Asked, byId, replica)).ToList();
        foreach (var fetch in wanted) Admit(fetch, replica, request.ReplicaState.ReplicaEpoch);

        var least = Math.Min(request.MinBytes, Math.Min(request.MaxBytes, MostBytes));
        if (!IsWorthAnAnswer())
        {
            var hosted = wanted.ConvertAll(fetch => fetch.Partition!);
            await HostedPartition.WaitAsync(host.Time, hosted, IsWorthAnAnswer, TimeSpan.FromMilliseconds(request.MaxWaitMs));
            foreach (var fetch in wanted) fetch.Check();               // roles and logs may have changed meanwhile
        }
        if (session.Session is { } open && !sessions.IsStillNext(open, request.SessionEpoch)) return new FetchResponse { ErrorCode = ErrorCode.InvalidFetchSessionEpoch };
        var goesOn = session.Begins ? sessions.Begin(session.Asked, byId, replica >= 0, host.Time.Monotonic()) : session.Session;
        return Answer(request, context.Header.Version, wanted, replica >= 0, goesOn, isIncremental: session.Session is not null);

        bool IsWorthAnAnswer() => least <= 1
            ? wanted.Exists(fetch => fetch.IsSpecial || fetch.HasNews(replica >= 0))
            : wanted.Exists(static fetch => fetch.IsSpecial) || wanted.Sum(fetch => (long)fetch.Available(replica >= 0, least)) >= least;
    }

    private PartitionFetch Wanted(FetchedPartition id, FetchPartition asked, bool byId, int replica)
    {
        var partition = byId ? partitions.Find(id.TopicId, id.Partition) : partitions.Find(id.Topic, id.Partition);
        var unknown = byId && identity.Image.Topic(id.TopicId) is null ? ErrorCode.UnknownTopicId : ErrorCode.UnknownTopicOrPartition;
        return new PartitionFetch(id, asked, partition, unknown, replica);
    }

    private void Admit(PartitionFetch fetch, int replica, long brokerEpoch)
    {
        fetch.Check();
        if (replica < 0 || fetch.Error != ErrorCode.None || fetch.Diverging is not null) return;
        fetch.Partition!.Core.FollowerFetched(replica, brokerEpoch, fetch.Asked.FetchOffset, host.Time.Monotonic());
        fetch.Partition.Core.FollowerStarts(replica, fetch.Asked.LogStartOffset);
        fetch.Partition.Core.FollowerIsDurable(replica, fetch.Asked.DurableEndOffset);
        isr.Fetched(fetch.Partition, replica);
    }

    /// <summary>All partitions asked for; in a session that goes on, those of which there is something new to say.</summary>
    private FetchResponse Answer(FetchRequest request, short version, List<PartitionFetch> wanted, bool isFollower, FetchSession? session, bool isIncremental)
    {
        var answer = new FetchResponse { SessionId = session?.Id ?? 0 };
        var room = (int)Math.Min(Math.Min(request.MaxBytes, MostBytes), Math.Max(1, host.Network.AnswerRoom));   // one batch there is in any case
        foreach (var fetch in wanted)
        {
            var data = fetch.Answer(isFollower, room);
            room = Math.Max(0, room - (data.Records?.Length ?? 0));
            var isNews = session is null || session.IsNews(fetch.Id, data);
            if (isIncremental && !isNews) continue;
            if (answer.Responses is not [.., var last] || last.Topic != fetch.Id.Topic || last.TopicId != fetch.Id.TopicId)
                answer.Responses.Add(last = new FetchableTopicResponse { Topic = fetch.Id.Topic, TopicId = fetch.Id.TopicId });
            last.Partitions.Add(data);
            if (version >= 16 && LeaderHint.MayHelp(data.ErrorCode)) data.CurrentLeader = LeaderHint.For(identity.Image, fetch.Partition!.Core.Id, answer.NodeEndpoints);
        }
        return answer;
    }

    /// <summary>One partition of one fetch.</summary>
    private sealed class PartitionFetch(FetchedPartition id, FetchPartition asked, HostedPartition? partition, ErrorCode unknown, int replica)
    {
        public FetchedPartition Id { get; } = id;

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

        /// <summary>It is to be told at once, however little it is.</summary>
        public bool IsSpecial => Error != ErrorCode.None || Diverging is not null || !Partition!.Core.IsLeader;

        public bool HasNews(bool isFollower) => Partition!.Core.HasNews(isFollower, Asked.FetchOffset);

        /// <summary>Bytes there are to read, counted until they are <paramref name="enough"/>.</summary>
        public int Available(bool isFollower, int enough)
        {
            var (core, next, found) = (Partition!.Core, Asked.FetchOffset, 0);
            enough = Math.Min(enough, Asked.PartitionMaxBytes);
            while (found < enough)
            {
                var batches = core.Log.Read(next, core.VisibleEnd(isFollower), enough - found);
                if (batches.IsEmpty) return found;
                foreach (var batch in new RecordBatches(batches)) next = batch.NextOffset;
                found += batches.Length;
            }
            return enough;
        }

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
