using Broker.Core.Log;
using Broker.Core.Replication;
using Broker.Protocol;
using Broker.Runtime;

namespace Broker.Node.Serving;

/// <summary>Follows one leader: fetches all partitions that this broker follows there, over one connection, one request at a time.</summary>
public sealed class ReplicaFetcher(
    IHost host, BrokerSettings settings, int leader, PartitionTable partitions, BrokerIdentity identity, ReplicationRules rules)
{
    private RequestChannel? channel;

    public async Task FetchAsync()
    {
        while (true)
        {
            var followed = Followed();
            if (followed.Count == 0) await partitions.LeadershipChanged.WaitAsync(TimeSpan.FromDays(1));
            else if (!await FetchOnceAsync(followed)) await host.Time.DelayAsync(settings.Backoff);
        }
    }

    private List<Replica> Followed()
    {
        var followed = new List<Replica>();
        foreach (var partition in partitions.All)
            if (partition.Core.State.Leader == leader) followed.Add(new Replica(partition, partition.Core.LeaderEpoch));
        return followed;
    }

    /// <summary>False when there is reason to wait before the next try.</summary>
    private async Task<bool> FetchOnceAsync(List<Replica> followed)
    {
        foreach (var replica in followed)
        {
            if (replica.Core.Log.NeedsFlush) await replica.Core.FlushAsync();   // a fetch says "I have all below": with flush.messages, durably
            if (replica.Core.Log.HasUnsavedStart) await replica.Core.Log.SaveStartAsync();   // and "I have nothing below": for ever
        }

        if (await OpenAsync() is not { } open) return false;
        var id = open.NextCorrelationId();
        var request = Request(followed);
        var frame = await open.ExchangeAsync(RequestFrame.Encode(request, 16, id, $"replica-{host.Id}"), id, settings.RequestTimeout + settings.ReplicaFetchWaitMax);
        if (frame is null) return false;
        var answer = ResponseFrame.Decode<FetchResponse>(frame, 16);
        if (answer.ErrorCode != ErrorCode.None) return false;
        var allWell = true;
        foreach (var topic in answer.Responses)
            foreach (var data in topic.Partitions)
                allWell &= data.ErrorCode is ErrorCode.OffsetOutOfRange ? await FindStartAsync(open, Find(followed, topic.TopicId, data)) : TakeIn(followed, topic.TopicId, data);
        return allWell;
    }

    private bool TakeIn(List<Replica> followed, Guid topic, FetchResponse.PartitionData data)
    {
        var replica = Find(followed, topic, data);
        if (replica is null || !IsStillFollowed(replica)) return true;
        if (data.ErrorCode != ErrorCode.None) return false;
        if (data.DivergingEpoch != new FetchResponse.EpochEndOffset())
        {
            replica.Core.Diverged(new EpochEnd(data.DivergingEpoch.Epoch, data.DivergingEpoch.EndOffset));
            return true;
        }
        var error = replica.Core.Replicate(data.Records ?? ReadOnlyMemory<byte>.Empty, data.HighWatermark);
        replica.Core.FollowStart(data.LogStartOffset);
        return error == ErrorCode.None;
    }

    private static Replica? Find(List<Replica> followed, Guid topic, FetchResponse.PartitionData data) =>
        followed.Find(replica => replica.Core.TopicId == topic && replica.Core.Id.Partition == data.PartitionIndex);

    private bool IsStillFollowed(Replica replica) => replica.Core.State.Leader == leader && rules.StillLeads(replica.LeaderEpoch, replica.Core.LeaderEpoch);

    /// <summary>The leader has no longer what this follower needs next: asks from where on it has something.</summary>
    private async Task<bool> FindStartAsync(RequestChannel open, Replica? replica)
    {
        const short version = 7;
        const long earliest = -2;
        if (replica is null) return true;
        var asked = new ListOffsetsPartition { PartitionIndex = replica.Core.Id.Partition, CurrentLeaderEpoch = replica.LeaderEpoch, Timestamp = earliest };
        var request = new ListOffsetsRequest { ReplicaId = settings.Id.Value, Topics = [new ListOffsetsTopic { Name = replica.Core.Id.Topic, Partitions = [asked] }] };
        var id = open.NextCorrelationId();
        var frame = await open.ExchangeAsync(RequestFrame.Encode(request, version, id, $"replica-{host.Id}"), id, settings.RequestTimeout);
        if (frame is null) return false;
        var answer = ResponseFrame.Decode<ListOffsetsResponse>(frame, version).Topics.SelectMany(static topic => topic.Partitions).FirstOrDefault();
        if (answer is not { ErrorCode: ErrorCode.None } || !IsStillFollowed(replica)) return false;
        replica.Core.FollowFrom(answer.Offset);
        return true;
    }

    private FetchRequest Request(List<Replica> followed)
    {
        var request = new FetchRequest
        {
            ReplicaState = new ReplicaState { ReplicaId = settings.Id.Value, ReplicaEpoch = identity.BrokerEpoch },
            MaxWaitMs = (int)settings.ReplicaFetchWaitMax.TotalMilliseconds,
            MinBytes = 1,
        };
        foreach (var replica in followed)
        {
            var topic = request.Topics.Find(topic => topic.TopicId == replica.Core.TopicId);
            if (topic is null) request.Topics.Add(topic = new FetchTopic { TopicId = replica.Core.TopicId });
            topic.Partitions.Add(new FetchPartition
            {
                Partition = replica.Core.Id.Partition,
                CurrentLeaderEpoch = replica.LeaderEpoch,
                FetchOffset = replica.Core.Log.LogEndOffset,
                LastFetchedEpoch = replica.Core.LastFetchedEpoch,
                LogStartOffset = replica.Core.Log.LogStartOffset,
                PartitionMaxBytes = settings.ReplicaFetchMaxBytes,
                DurableEndOffset = replica.Core.Compacts ? replica.Core.Log.FlushedEndOffset : -1,
            });
        }
        return request;
    }

    private async ValueTask<RequestChannel?> OpenAsync()
    {
        if (channel is { IsOpen: true }) return channel;
        if (identity.Image.Broker(leader) is not { } registration) return null;
        return channel = await RequestChannel.OpenAsync(host, registration.Endpoint, settings.RequestTimeout);
    }

    /// <summary>A followed partition and the leader epoch in which it was asked for.</summary>
    private sealed record Replica(HostedPartition Partition, int LeaderEpoch)
    {
        public Partition Core => Partition.Core;
    }
}
