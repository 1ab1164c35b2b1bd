using Broker.Core.Replication;
using Broker.Node.Rpc;
using Broker.Protocol;

namespace Broker.Node.Serving;

/// <summary>Questions about offsets: ends, starts, times (ListOffsets) and ends of leader epochs (OffsetForLeaderEpoch, KIP-320).</summary>
public sealed class OffsetHandlers(PartitionTable partitions, ReplicationRules rules)
{
    private const long Latest = -1, Earliest = -2, LargestTimestamp = -3, EarliestLocal = -4;

    public ValueTask<ListOffsetsResponse?> ListAsync(ListOffsetsRequest request, RequestContext context)
    {
        var answer = new ListOffsetsResponse();
        foreach (var topic in request.Topics)
        {
            var answered = new ListOffsetsTopicResponse { Name = topic.Name };
            foreach (var asked in topic.Partitions) answered.Partitions.Add(List(topic.Name, asked, context.Header.Version));
            answer.Topics.Add(answered);
        }
        return ValueTask.FromResult<ListOffsetsResponse?>(answer);
    }

    public ValueTask<OffsetForLeaderEpochResponse?> EndOfEpochAsync(OffsetForLeaderEpochRequest request, RequestContext context)
    {
        var answer = new OffsetForLeaderEpochResponse();
        foreach (var topic in request.Topics)
        {
            var answered = new OffsetForLeaderTopicResult { Topic = topic.Topic };
            foreach (var asked in topic.Partitions) answered.Partitions.Add(EndOfEpoch(topic.Topic, asked));
            answer.Topics.Add(answered);
        }
        return ValueTask.FromResult<OffsetForLeaderEpochResponse?>(answer);
    }

    /// <summary>The first version in which a question may be asked: KIP-734 for the largest timestamp, KIP-405 for local logs. Null: it has no answer here.</summary>
    private static short? AskedFrom(long timestamp) => timestamp switch
    {
        Latest or Earliest or >= 0 => 0,
        LargestTimestamp => 7,
        EarliestLocal => 8,
        _ => null,
    };

    private ListOffsetsPartitionResponse List(string topic, ListOffsetsPartition asked, short version)
    {
        var answer = new ListOffsetsPartitionResponse { PartitionIndex = asked.PartitionIndex };
        var partition = partitions.Find(topic, asked.PartitionIndex)?.Core;
        answer.ErrorCode = AskedFrom(asked.Timestamp) is { } from && version >= from ? Problem(partition, asked.CurrentLeaderEpoch) : ErrorCode.UnsupportedVersion;
        if (answer.ErrorCode != ErrorCode.None) return answer;
        switch (asked.Timestamp)
        {
            case Latest when !partition!.MayTellEnd: answer.ErrorCode = ErrorCode.OffsetNotAvailable; break;
            case Latest: (answer.Offset, answer.LeaderEpoch) = (partition!.HighWatermark, partition.LeaderEpoch); break;
            case Earliest or EarliestLocal: (answer.Offset, answer.LeaderEpoch) = (partition!.Log.LogStartOffset, partition.LeaderEpoch); break;
            case LargestTimestamp or >= 0: ByTime(partition!, asked.Timestamp, answer); break;
            default: throw new InvalidOperationException($"unknown question {asked.Timestamp}");
        }
        return answer;
    }

    /// <summary>The first committed record at or after a time; or, for -3, the record with the largest timestamp.</summary>
    private void ByTime(Partition partition, long wanted, ListOffsetsPartitionResponse answer)
    {
        foreach (var batch in wanted == LargestTimestamp ? partition.Log.Batches() : partition.Log.BatchesSince(wanted))
        {
            if (!rules.IsCommitted(partition.HighWatermark, batch.NextOffset)) return;
            if (!BatchFilter.TryOpen(batch, out var opened))
            {
                // Compressed in a way that cannot be read here: whoever begins at its first record misses nothing.
                if (!partition.Log.IsReadable(batch.BaseOffset) || !rules.IsSought(batch.MaxTimestamp, wanted, answer.Timestamp)) continue;
                (answer.Offset, answer.Timestamp, answer.LeaderEpoch) = (batch.BaseOffset, batch.MaxTimestamp, batch.PartitionLeaderEpoch);
                if (wanted != LargestTimestamp) return;
                continue;
            }
            foreach (var record in opened.Records)
            {
                if (!partition.Log.IsReadable(record.Offset) || !rules.IsSought(record.Timestamp, wanted, answer.Timestamp)) continue;
                (answer.Offset, answer.Timestamp, answer.LeaderEpoch) = (record.Offset, record.Timestamp, batch.PartitionLeaderEpoch);
                if (wanted != LargestTimestamp) return;
            }
        }
    }

    private OffsetForLeaderEpochResponse.EpochEndOffset EndOfEpoch(string topic, OffsetForLeaderPartition asked)
    {
        var answer = new OffsetForLeaderEpochResponse.EpochEndOffset { Partition = asked.Partition };
        var partition = partitions.Find(topic, asked.Partition)?.Core;
        answer.ErrorCode = Problem(partition, asked.CurrentLeaderEpoch);
        if (answer.ErrorCode != ErrorCode.None) return answer;
        var end = partition!.AnswerEpoch(asked.LeaderEpoch);
        (answer.LeaderEpoch, answer.EndOffset) = (end.Epoch, end.EndOffset);
        return answer;
    }

    private static ErrorCode Problem(Partition? partition, int leaderEpoch)
    {
        if (partition is null) return ErrorCode.UnknownTopicOrPartition;
        var fenced = partition.Fence(leaderEpoch);
        return fenced != ErrorCode.None ? fenced : partition.IsLeader ? ErrorCode.None : ErrorCode.NotLeaderOrFollower;
    }
}
