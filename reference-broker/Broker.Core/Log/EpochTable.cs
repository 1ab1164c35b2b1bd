namespace Broker.Core.Log;

/// <summary>The end of a leader epoch in a log: the epoch that answers, and the offset (exclusive) where it ends there.</summary>
public readonly record struct EpochEnd(int Epoch, long EndOffset);

/// <summary>Where each leader epoch starts in one log, oldest first (KIP-101). A few entries; searched from the back.</summary>
public sealed class EpochTable(LogRules rules)
{
    private readonly List<(int Epoch, long StartOffset)> entries = [];

    /// <summary>The epoch of the last batch, or -1 when the log is empty.</summary>
    public int LastEpoch => entries.Count == 0 ? -1 : entries[^1].Epoch;

    public void Note(int batchEpoch, long baseOffset)
    {
        if (rules.StartsEpoch(LastEpoch, batchEpoch)) entries.Add((batchEpoch, baseOffset));
    }

    /// <summary>The largest epoch at or below the one asked for, and where it ends; null when there is none.</summary>
    public EpochEnd? EndOf(int askedEpoch, long logEndOffset)
    {
        for (var i = entries.Count - 1; i >= 0; i--)
        {
            if (!rules.EpochAnswers(entries[i].Epoch, askedEpoch)) continue;
            return new EpochEnd(entries[i].Epoch, i + 1 < entries.Count ? entries[i + 1].StartOffset : logEndOffset);
        }
        return null;
    }

    /// <summary>Whether an epoch begins at the offset.</summary>
    public bool StartsAt(long baseOffset) => entries.Exists(entry => rules.BeginsAt(entry.StartOffset, baseOffset));

    public void Cut(long newEnd) => entries.RemoveAll(entry => !rules.EpochSurvives(entry.StartOffset, newEnd));

    /// <summary>Forgets epochs that end at or below the log's start; the last one stays, and begins there at the earliest: a cut down to the start takes it away, for none of its batches is left.</summary>
    /// <remarks>Source: Kafka's LeaderEpochFileCache.truncateFromStart.</remarks>
    public void CutFront(long logStartOffset)
    {
        while (entries.Count > 1 && rules.StartsAtOrBefore(entries[1].StartOffset, logStartOffset)) entries.RemoveAt(0);
        if (entries.Count > 0 && rules.StartsAtOrBefore(entries[0].StartOffset, logStartOffset)) entries[0] = (entries[0].Epoch, logStartOffset);
    }

    public void Describe(List<long> into)
    {
        into.Add(entries.Count);
        foreach (var (epoch, start) in entries) into.AddRange([epoch, start]);
    }

    public void Restore(Queue<long> from)
    {
        for (var left = from.Dequeue(); left > 0; left--) entries.Add(((int)from.Dequeue(), from.Dequeue()));
    }

    public void Clear() => entries.Clear();
}
