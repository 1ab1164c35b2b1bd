using Broker.Core.Quorum;
using Broker.Protocol;
using Broker.Runtime;

namespace Broker.Node.Quorum;

/// <summary>The metadata log on disk: whole record batches, one behind the other, in one file. Fetches always start and cuts always fall on a batch border.</summary>
internal sealed class MetadataLog
{
    private readonly List<Place> places = [];
    private readonly IDisk disk;
    private readonly string directory;
    private readonly IFile file;
    private long sizeBytes;
    private bool nameIsDurable;

    /// <summary>Where a batch stands; sorted by base offset.</summary>
    private readonly record struct Place(long BaseOffset, long NextOffset, int Epoch, long Position) : IComparable<Place>
    {
        public int CompareTo(Place other) => BaseOffset.CompareTo(other.BaseOffset);
    }

    private MetadataLog(IDisk disk, string directory)
    {
        this.disk = disk;
        this.directory = directory;
        file = disk.Open($"{directory}/{0:D20}.log");
    }

    /// <summary>Bytes of a torn tail that recovery cut off.</summary>
    public long DroppedBytes { get; private set; }

    /// <summary>Opens or creates the log: batches that are whole, sound and in order are kept; the first that is not, and all behind it, is cut off.</summary>
    public static MetadataLog Open(IDisk disk, string directory, QuorumRules rules)
    {
        var log = new MetadataLog(disk, directory);
        var bytes = new byte[log.file.Length];
        log.file.Read(0, bytes);
        var end = 0L;
        foreach (var batch in new RecordBatches(bytes))
        {
            if (!batch.HasValidCrc || !rules.Continues(batch.BaseOffset, end)) break;
            log.Add(batch);
            end = batch.NextOffset;
        }
        log.DroppedBytes = bytes.Length - log.sizeBytes;
        if (log.DroppedBytes > 0) log.file.Truncate(log.sizeBytes);
        return log;
    }

    /// <summary>The machine's view of what was recovered.</summary>
    public QuorumLog View()
    {
        var view = new QuorumLog();
        foreach (var place in places) view.Append(place.Epoch, place.NextOffset);
        return view;
    }

    /// <summary>Through the page cache only.</summary>
    public void Append(byte[] stamped)
    {
        Invariant.Holds(RecordBatch.TryRead(stamped, out var batch, out _));
        Invariant.Holds(batch.HasValidCrc);
        file.Write(sizeBytes, stamped);
        Add(batch);
    }

    public void Truncate(long offset)
    {
        var from = IndexOf(offset);
        if (from == places.Count) return;
        sizeBytes = places[from].Position;
        places.RemoveRange(from, places.Count - from);
        file.Truncate(sizeBytes);
    }

    /// <summary>Everything so far is durable once it returns, cuts and the file's name too.</summary>
    public async ValueTask FlushAsync()
    {
        await file.FlushAsync();
        if (nameIsDurable) return;
        await disk.FlushDirectoryAsync(directory);
        nameIsDurable = true;
    }

    /// <summary>Whole batches between two batch borders: at least one if there is one, then as many as fit.</summary>
    public ReadOnlyMemory<byte> Read(long from, long to, int maxBytes)
    {
        var (first, end) = (IndexOf(from), IndexOf(to));
        var start = PositionOf(first);
        var last = first;
        while (last < end && (last == first || PositionOf(last + 1) - start <= maxBytes)) last++;
        var bytes = new byte[PositionOf(last) - start];
        Invariant.Holds(file.Read(start, bytes) == bytes.Length);
        return bytes;
    }

    private void Add(in RecordBatch batch)
    {
        places.Add(new Place(batch.BaseOffset, batch.NextOffset, batch.PartitionLeaderEpoch, sizeBytes));
        sizeBytes += batch.SizeInBytes;
    }

    /// <summary>Index of the first batch that starts at the offset or behind it; the number of batches when there is none.</summary>
    private int IndexOf(long offset)
    {
        var found = places.BinarySearch(new Place(offset, 0, 0, 0));
        return found >= 0 ? found : ~found;
    }

    private long PositionOf(int index) => index < places.Count ? places[index].Position : sizeBytes;
}
