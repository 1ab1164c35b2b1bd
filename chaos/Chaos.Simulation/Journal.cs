using System.Collections;
using Broker.Runtime;

namespace Chaos.Simulation;

/// <summary>An observation and the virtual time at which it was made.</summary>
public readonly record struct JournalEntry(TimeSpan At, Observation What);

/// <summary>Every observation of a world, in order. Kept in chunks: a run must not grow arrays by copying them.</summary>
public sealed class Journal : IReadOnlyList<JournalEntry>
{
    private const int ChunkSize = 256;
    private readonly List<JournalEntry[]> chunks = [];

    public int Count { get; private set; }

    public JournalEntry this[int index] =>
        (uint)index < (uint)Count ? chunks[index / ChunkSize][index % ChunkSize] : throw new ArgumentOutOfRangeException(nameof(index));

    public IEnumerator<JournalEntry> GetEnumerator()
    {
        for (var i = 0; i < Count; i++) yield return chunks[i / ChunkSize][i % ChunkSize];
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public void Add(in JournalEntry entry)
    {
        if (Count == chunks.Count * ChunkSize) chunks.Add(new JournalEntry[ChunkSize]);
        chunks[^1][Count++ % ChunkSize] = entry;
    }
}
