using Broker.Protocol;

namespace Broker.Core.Log;

/// <summary>Of each key the offset of its newest record, in a stretch of a log.</summary>
internal sealed class KeyMap
{
    private readonly Dictionary<ReadOnlyMemory<byte>, long> newest = new(new ByBytes());

    public bool IsEmpty => newest.Count == 0;

    public void Note(ReadOnlyMemory<byte> key, long offset) => newest[key] = offset;

    /// <summary>-1: the key is not in that stretch.</summary>
    public long NewestOf(ReadOnlyMemory<byte> key) => newest.GetValueOrDefault(key, -1);

    private sealed class ByBytes : IEqualityComparer<ReadOnlyMemory<byte>>
    {
        public bool Equals(ReadOnlyMemory<byte> x, ReadOnlyMemory<byte> y) => x.Span.SequenceEqual(y.Span);

        public int GetHashCode(ReadOnlyMemory<byte> bytes) => (int)Crc32C.Compute(bytes.Span);
    }
}
