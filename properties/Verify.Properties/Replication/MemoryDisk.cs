using System.Runtime.InteropServices;
using Broker.Runtime;

namespace Verify.Properties.Replication;

/// <summary>The disk of one model replica. It outlives the replica's process; nothing is ever flushed, so a power loss takes all.</summary>
internal sealed class MemoryDisk : IDisk
{
    private readonly SortedDictionary<string, MemoryFile> files = new(StringComparer.Ordinal);

    public string CacheIdentity => "memory";

    public bool Exists(string path) => files.ContainsKey(path);

    public IFile Open(string path)
    {
        if (!files.TryGetValue(path, out var file)) files.Add(path, file = new MemoryFile());
        return file;
    }

    public IReadOnlyList<string> List(string directory) => [.. files.Keys.Where(path => path.StartsWith(directory + "/", StringComparison.Ordinal)).Select(path => path[(directory.Length + 1)..])];

    public void Delete(string path) => files.Remove(path);

    public void Rename(string from, string to)
    {
        files[to] = files[from];
        files.Remove(from);
    }

    public ValueTask FlushDirectoryAsync(string directory) => ValueTask.CompletedTask;

    public void LosePower() => files.Clear();

    private sealed class MemoryFile : IFile
    {
        private readonly List<byte> bytes = [];

        public long Length => bytes.Count;

        public int Read(long position, Span<byte> into)
        {
            var count = (int)Math.Clamp(bytes.Count - position, 0, into.Length);
            CollectionsMarshal.AsSpan(bytes).Slice((int)position, count).CopyTo(into);
            return count;
        }

        public void Write(long position, ReadOnlySpan<byte> written)
        {
            CollectionsMarshal.SetCount(bytes, (int)Math.Max(bytes.Count, position + written.Length));
            written.CopyTo(CollectionsMarshal.AsSpan(bytes)[(int)position..]);
        }

        public void Truncate(long length) => CollectionsMarshal.SetCount(bytes, (int)length);

        public ValueTask FlushAsync() => ValueTask.CompletedTask;

        public void Dispose()
        {
            // What was written stays; closing changes nothing.
        }
    }
}
