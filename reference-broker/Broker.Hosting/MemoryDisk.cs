using Broker.Runtime;

namespace Broker.Hosting;

/// <summary>Files in memory. They outlive the node that wrote them, as long as somebody holds the disk: a node that crashed finds them again.</summary>
/// <remarks>Used by one node at a time, from its loop. There is no power to lose: everything is flushed as soon as it is written.</remarks>
public sealed class MemoryDisk : IDisk
{
    private readonly SortedDictionary<string, Content> files = new(StringComparer.Ordinal);

    public string CacheIdentity { get; } = Guid.NewGuid().ToString();

    public bool Exists(string path) => files.ContainsKey(path);

    public IFile Open(string path)
    {
        if (!files.TryGetValue(path, out var content)) files.Add(path, content = new Content());
        return new MemoryFile(content);
    }

    public IReadOnlyList<string> List(string directory) =>
        [.. files.Keys.Where(path => path.Length > directory.Length && path.StartsWith(directory, StringComparison.Ordinal) && path[directory.Length] == '/')
            .Select(path => path[(directory.Length + 1)..]).Where(name => !name.Contains('/')).Order(StringComparer.Ordinal)];

    public void Delete(string path) => files.Remove(path);

    public void Rename(string from, string to)
    {
        if (!files.Remove(from, out var content)) throw new DiskException($"no such file: {from}");
        files[to] = content;
    }

    public ValueTask FlushDirectoryAsync(string directory) => ValueTask.CompletedTask;

    /// <summary>The bytes of a file, in pieces: a file that grows is never copied, and room that was never written to costs nothing.</summary>
    private sealed class Content
    {
        private const int PieceBytes = 16 * 1024;

        private readonly List<byte[]?> pieces = [];

        public long Length { get; private set; }

        public void Resize(long length)
        {
            var before = Length;
            Length = length;
            var needed = (int)((length + PieceBytes - 1) / PieceBytes);
            if (needed < pieces.Count) pieces.RemoveRange(needed, pieces.Count - needed);
            while (pieces.Count < needed) pieces.Add(null);
            if (length < before && length % PieceBytes is > 0 and var kept) pieces[^1]?.AsSpan((int)kept).Clear();   // what grows again is zero
        }

        /// <summary>Copies what the piece that holds a position has from there on. Returns how much.</summary>
        public int Read(long position, Span<byte> into)
        {
            var at = (int)(position % PieceBytes);
            into = into[..Math.Min(into.Length, PieceBytes - at)];
            if (pieces[(int)(position / PieceBytes)] is { } piece) piece.AsSpan(at, into.Length).CopyTo(into);
            else into.Clear();
            return into.Length;
        }

        /// <summary>Fills the piece that holds a position from there on. Returns how much.</summary>
        public int Write(long position, ReadOnlySpan<byte> bytes)
        {
            var at = (int)(position % PieceBytes);
            bytes = bytes[..Math.Min(bytes.Length, PieceBytes - at)];
            bytes.CopyTo((pieces[(int)(position / PieceBytes)] ??= new byte[PieceBytes]).AsSpan(at));
            return bytes.Length;
        }
    }

    private sealed class MemoryFile(Content content) : IFile
    {
        public long Length => content.Length;

        public int Read(long position, Span<byte> into)
        {
            var total = (int)Math.Clamp(content.Length - position, 0, into.Length);
            for (var done = 0; done < total;) done += content.Read(position + done, into[done..total]);
            return total;
        }

        public void Write(long position, ReadOnlySpan<byte> bytes)
        {
            if (position + bytes.Length > content.Length) content.Resize(position + bytes.Length);
            for (var done = 0; done < bytes.Length;) done += content.Write(position + done, bytes[done..]);
        }

        public void Truncate(long length) => content.Resize(length);

        public ValueTask FlushAsync() => ValueTask.CompletedTask;

        public void Dispose()
        {
        }
    }
}
