using Broker.Core.Replication;
using Broker.Node.Rpc;
using Broker.Protocol;
using Broker.Runtime;

namespace Broker.Node.Serving;

/// <summary>Questions about offsets: ends, starts, times (ListOffsets) and ends of leader epochs (OffsetForLeaderEpoch, KIP-320).</summary>
public sealed class OffsetHandlers(PartitionTable partitions, ReplicationRules rules)
{
    private const long Latest = -1, Earliest = -2, LargestTimestamp = -3, EarliestLocal = -4;

    /// <summary>A partition that is named more than once gets no answer, as in Kafka: what is asked costs at most one reading of each log.</summary>
    public async ValueTask<ListOffsetsResponse?> ListAsync(ListOffsetsRequest request, RequestContext context)
    {
        var answer = new ListOffsetsResponse();
        var (work, named, twice) = (new LongWork(), new HashSet<TopicPartition>(), new HashSet<TopicPartition>());
        foreach (var topic in request.Topics)
            foreach (var asked in topic.Partitions)
                if (new TopicPartition(topic.Name, asked.PartitionIndex) is var id && !named.Add(id)) twice.Add(id);

        foreach (var topic in request.Topics)
        {
            var answered = new ListOffsetsTopicResponse { Name = topic.Name };
            answer.Topics.Add(answered);
            foreach (var asked in topic.Partitions)
            {
                var listed = new ListOffsetsPartitionResponse { PartitionIndex = asked.PartitionIndex };
                answered.Partitions.Add(listed);
                if (twice.Contains(new TopicPartition(topic.Name, asked.PartitionIndex))) listed.ErrorCode = ErrorCode.InvalidRequest;
                else await ListAsync(topic.Name, asked, listed, context.Header.Version, work);
                if (work.HasDone(LongWork.Entry)) await work.PauseAsync();
            }
        }
        return answer;
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

    private async ValueTask ListAsync(string topic, ListOffsetsPartition asked, ListOffsetsPartitionResponse answer, short version, LongWork work)
    {
        var partition = partitions.Find(topic, asked.PartitionIndex)?.Core;
        answer.ErrorCode = AskedFrom(asked.Timestamp) is { } from && version >= from ? Problem(partition, asked.CurrentLeaderEpoch) : ErrorCode.UnsupportedVersion;
        if (answer.ErrorCode != ErrorCode.None) return;
        switch (asked.Timestamp)
        {
            case Latest when !partition!.MayTellEnd: answer.ErrorCode = ErrorCode.OffsetNotAvailable; break;
            case Latest: (answer.Offset, answer.LeaderEpoch) = (partition!.HighWatermark, partition.LeaderEpoch); break;
            case Earliest or EarliestLocal: (answer.Offset, answer.LeaderEpoch) = (partition!.Log.LogStartOffset, partition.LeaderEpoch); break;
            case LargestTimestamp or >= 0: await ByTimeAsync(topic, partition!, asked.Timestamp, answer, work); break;
            default: throw new InvalidOperationException($"unknown question {asked.Timestamp}");
        }
    }

    /// <summary>The first committed record at or after a time; or, for -3, the record with the largest timestamp.</summary>
    private async ValueTask ByTimeAsync(string topic, Partition partition, long wanted, ListOffsetsPartitionResponse answer, LongWork work)
    {
        var leaderEpoch = partition.LeaderEpoch;
        long? next = null;
        while ((next = Seek(partition, next, wanted, answer, work)) is not null)
        {
            await work.PauseAsync();
            if (partitions.Find(topic, answer.PartitionIndex)?.Core == partition && partition.IsLeader && rules.StillLeads(leaderEpoch, partition.LeaderEpoch)) continue;
            (answer.ErrorCode, answer.Offset, answer.Timestamp, answer.LeaderEpoch) = (ErrorCode.NotLeaderOrFollower, -1, -1, -1);
            return;
        }
    }

    /// <summary>Goes on from an offset, or begins. Returns where to go on; null where that is not needed.</summary>
    private long? Seek(Partition partition, long? from, long wanted, ListOffsetsPartitionResponse answer, LongWork work)
    {
        foreach (var batch in from is { } offset ? partition.Log.BatchesFrom(offset) : wanted == LargestTimestamp ? partition.Log.Batches() : partition.Log.BatchesSince(wanted))
        {
            if (!rules.IsCommitted(partition.HighWatermark, batch.NextOffset) || Seek(partition, batch, wanted, answer) && wanted != LargestTimestamp) return null;
            if (work.HasDone(batch.SizeInBytes)) return batch.NextOffset;
        }
        return null;
    }

    /// <summary>Whether the batch has what is sought; of the largest timestamp that is not the last word.</summary>
    private bool Seek(Partition partition, in RecordBatch batch, long wanted, ListOffsetsPartitionResponse answer)
    {
        if (!BatchFilter.TryOpen(batch, out var opened))
        {
            // Compressed in a way that cannot be read here: whoever begins at its first record misses nothing.
            if (!partition.Log.IsReadable(batch.BaseOffset) || !rules.IsSought(batch.MaxTimestamp, wanted, answer.Timestamp)) return false;
            (answer.Offset, answer.Timestamp, answer.LeaderEpoch) = (batch.BaseOffset, batch.MaxTimestamp, batch.PartitionLeaderEpoch);
            return true;
        }
        var isFound = false;
        foreach (var record in opened.Records)
        {
            if (!partition.Log.IsReadable(record.Offset) || !rules.IsSought(record.Timestamp, wanted, answer.Timestamp)) continue;
            (answer.Offset, answer.Timestamp, answer.LeaderEpoch) = (record.Offset, record.Timestamp, batch.PartitionLeaderEpoch);
            isFound = true;
            if (wanted != LargestTimestamp) break;
        }
        return isFound;
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
