using Broker.Protocol;

namespace Broker.Core.Fetching;

/// <summary>A partition as a fetch names it: by the topic's name up to version 12, by its id from 13.</summary>
public readonly record struct FetchedPartition(string Topic, Guid TopicId, int Partition);

/// <summary>What one reader asks for again and again, so that it need only say what is another, and is told only that (KIP-227).</summary>
public sealed class FetchSession
{
    private readonly FetchSessionRules rules;
    private readonly Dictionary<FetchedPartition, LinkedListNode<Entry>> known = [];
    private readonly LinkedList<Entry> entries = [];

    internal FetchSession(FetchSessionRules rules, int id, bool byId, bool isFollower, TimeSpan now)
    {
        this.rules = rules;
        (Id, ById, IsFollower, Begun, LastUsed, Epoch) = (id, byId, isFollower, now, now, rules.EpochAfter(0));
    }

    /// <summary>Never 0.</summary>
    public int Id { get; }

    /// <summary>Its partitions go by topic id.</summary>
    public bool ById { get; }

    public bool IsFollower { get; }

    /// <summary>Of the next request.</summary>
    public int Epoch { get; private set; }

    public int Count => entries.Count;

    /// <summary>In the order in which they are answered: who got records goes last.</summary>
    public IEnumerable<(FetchedPartition Partition, FetchPartition Asked)> Asked => entries.Select(static entry => (entry.Partition, entry.Asked));

    internal TimeSpan Begun { get; }

    internal TimeSpan LastUsed { get; private set; }

    /// <summary>Takes over what the reader says: partitions asked for anew or otherwise, and those it forgets.</summary>
    internal void Update(IEnumerable<(FetchedPartition Partition, FetchPartition Asked)> asked, IEnumerable<FetchedPartition> forgotten)
    {
        foreach (var (partition, wanted) in asked)
            if (known.TryGetValue(partition, out var node)) node.Value.Asked = wanted;
            else known.Add(partition, entries.AddLast(new Entry(partition, wanted)));
        foreach (var partition in forgotten)
            if (known.Remove(partition, out var node)) entries.Remove(node);
    }

    internal void Use(TimeSpan now)
    {
        LastUsed = now;
        Epoch = rules.EpochAfter(Epoch);
    }

    /// <summary>Whether an answer says anything that the reader was not told before. Records and errors always do; after an error all does.</summary>
    public bool IsNews(FetchedPartition partition, FetchResponse.PartitionData data)
    {
        if (!known.TryGetValue(partition, out var node)) return true;
        var entry = node.Value;
        var hasRecords = data.Records is { Length: > 0 };
        var isWrong = data.ErrorCode != ErrorCode.None || !data.DivergingEpoch.Equals(new FetchResponse.EpochEndOffset());
        var isNews = hasRecords || isWrong || rules.IsNews(data.HighWatermark, entry.HighWatermark) || rules.IsNews(data.LogStartOffset, entry.LogStartOffset);
        (entry.HighWatermark, entry.LogStartOffset) = (isWrong ? -1 : data.HighWatermark, data.LogStartOffset);
        if (hasRecords)
        {
            entries.Remove(node);
            entries.AddLast(node);
        }
        return isNews;
    }

    private sealed class Entry(FetchedPartition partition, FetchPartition asked)
    {
        public FetchedPartition Partition { get; } = partition;

        public FetchPartition Asked { get; set; } = asked;

        /// <summary>As last told; -1: nothing was.</summary>
        public long HighWatermark { get; set; } = -1;

        public long LogStartOffset { get; set; } = -1;
    }
}
