using Broker.Runtime;
using Chaos.Faults;

namespace Chaos.Simulation;

/// <summary>
/// The disk of one node; it outlives the node's lives. Names and bytes go through the page cache; a power loss keeps what was flushed
/// and, by the draw, part of what was not.
/// </summary>
internal sealed class SimDisk(SimLoop loop, SimOptions options, Prng prng)
{
    private readonly List<NameChange> unsyncedNames = [];
    private readonly List<ActiveFault> faults = [];
    private Dictionary<string, Inode> names = [];
    private Dictionary<string, Inode> durableNames = [];
    private long busyUntil;

    public long PowerLosses { get; private set; }

    /// <summary>The fault that made the last call fail, null when none did.</summary>
    public ActiveFault? Culprit { get; private set; }

    public bool Exists(string path) => names.ContainsKey(path);

    public Inode Open(string path)
    {
        if (names.TryGetValue(path, out var inode)) return inode;
        inode = new Inode();
        Change(new NameChange(path, null, inode));
        return inode;
    }

    public IReadOnlyList<string> List(string directory)
    {
        var prefix = directory.Length == 0 || directory.EndsWith('/') ? directory : directory + "/";
        var found = new List<string>();
        foreach (var path in names.Keys)
        {
            if (path.Length > prefix.Length && path.StartsWith(prefix, StringComparison.Ordinal) && path.IndexOf('/', prefix.Length) < 0) found.Add(path[prefix.Length..]);
        }

        found.Sort(StringComparer.Ordinal);
        return found;
    }

    public void Delete(string path)
    {
        if (names.ContainsKey(path)) Change(new NameChange(path, null, null));
    }

    public void Rename(string from, string to)
    {
        if (!names.TryGetValue(from, out var inode)) throw new FileNotFoundException("nothing to rename", from);
        Change(new NameChange(to, from, inode));
    }

    public void Write(Inode inode, long position, ReadOnlySpan<byte> bytes)
    {
        if (position + bytes.Length > inode.Length) DemandRoom();
        inode.Write(position, bytes);
    }

    public void Truncate(Inode inode, long length)
    {
        if (length > inode.Length) DemandRoom();
        inode.Truncate(length);
    }

    /// <summary>Starts a flush of a file, or of a directory.</summary>
    public ValueTask FlushAsync(NodeContext caller, Inode? inode, string? directory)
    {
        var flush = new Flush(this, caller, inode, directory, inode?.StartFlush());
        var took = options.FlushMin.Ticks + (long)(prng.NextDouble() * (options.FlushMax - options.FlushMin).Ticks);
        foreach (var fault in faults)
        {
            if (fault.Fault is not Fault.Disk { Trouble: DiskTrouble.Slow } slow) continue;
            took += slow.By.Ticks;
            fault.Bite();
        }

        busyUntil = Math.Max(busyUntil, loop.Now) + took;              // a disk does one flush after the other
        loop.Schedule(flush, busyUntil);
        return new ValueTask(flush.Done);
    }

    /// <summary>The page cache is gone.</summary>
    /// <returns>Unsynced bytes that are gone, over all files.</returns>
    public long LosePower(UnsyncedTail tail)
    {
        var lost = 0L;
        PowerLosses++;
        busyUntil = 0;
        var kept = unsyncedNames.Count == 0 ? 0 : prng.Below(unsyncedNames.Count + 1);
        for (var i = 0; i < kept; i++) Apply(durableNames, unsyncedNames[i]);
        unsyncedNames.Clear();
        foreach (var inode in names.Values.Except(durableNames.Values)) lost += inode.Written;
        foreach (var path in durableNames.Keys.Order(StringComparer.Ordinal)) lost += durableNames[path].LosePower(prng, tail);
        names = new Dictionary<string, Inode>(durableNames);
        return lost;
    }

    public void Start(ActiveFault fault) => faults.Add(fault);

    public void End(ActiveFault fault) => faults.Remove(fault);

    /// <summary>Flips one bit of one stored file, the larger the likelier; false when nothing is stored.</summary>
    public bool Rot()
    {
        var files = names.Keys.Order(StringComparer.Ordinal).Select(path => names[path]).Where(static inode => inode.Length > 0).ToList();
        if (files.Count == 0) return false;
        var at = (long)(prng.NextDouble() * files.Sum(static inode => (long)inode.Length));
        foreach (var inode in files)
        {
            if ((at -= inode.Length) >= 0) continue;
            inode.FlipBit(prng);
            return true;
        }

        return false;
    }

    private void DemandRoom()
    {
        foreach (var fault in faults)
        {
            if (fault.Fault is Fault.Disk { Trouble: DiskTrouble.Full }) throw Fail(fault, "no space left on device", isFull: true);
        }
    }

    private DiskException Fail(ActiveFault fault, string why, bool isFull = false)
    {
        Culprit = fault;
        fault.Bite();
        return new DiskException(why, isFull);
    }

    private void Change(NameChange change)
    {
        Apply(names, change);
        unsyncedNames.Add(change);
    }

    private static void Apply(Dictionary<string, Inode> names, NameChange change)
    {
        if (change.From is { } from) names.Remove(from);
        if (change.Inode is { } inode) names[change.Path] = inode;
        else names.Remove(change.Path);
    }

    private void FlushNames(string directory)
    {
        var kept = 0;
        for (var i = 0; i < unsyncedNames.Count; i++)                  // compacts in place what belongs to other directories
        {
            var change = unsyncedNames[i];
            if (DirectoryOf(change.Path).SequenceEqual(directory.AsSpan().TrimEnd('/'))) Apply(durableNames, change);
            else unsyncedNames[kept++] = change;
        }

        unsyncedNames.RemoveRange(kept, unsyncedNames.Count - kept);
    }

    private static ReadOnlySpan<char> DirectoryOf(string path)
    {
        var slash = path.LastIndexOf('/');
        return slash < 0 ? default : path.AsSpan(0, slash);
    }

    /// <summary>What the disk does when the time of a flush has come; null when it did (or claimed to do) it.</summary>
    private DiskException? Complete(Flush flush)
    {
        foreach (var fault in faults)
        {
            if (fault.Fault is Fault.DiskLies)
            {
                fault.Bite();
                if (flush.Mark is not null) flush.Inode!.AbandonFlush(flush.Mark);
                return null;
            }

            if (fault.Fault is not Fault.Disk { Trouble: DiskTrouble.FsyncFails }) continue;
            if (flush.Mark is not null)
            {
                flush.Inode!.AbandonFlush(flush.Mark);
                if (prng.Chance(0.5)) flush.Inode.DropPages();
            }

            return Fail(fault, "input/output error");
        }

        if (flush.Mark is { Dropped: true } dropped)
        {
            flush.Inode!.AbandonFlush(dropped);
            return new DiskException("input/output error");
        }

        if (flush.Mark is not null) flush.Inode!.EndFlush(flush.Mark);
        if (flush.Directory is not null) FlushNames(flush.Directory);
        return null;
    }

    /// <summary>A name now stands for a file (renamed from another name, perhaps), or for none.</summary>
    private readonly record struct NameChange(string Path, string? From, Inode? Inode);

    /// <summary>One flush under way. The disk finishes it even when the process that asked is dead by then, unless the power went.</summary>
    private sealed class Flush(SimDisk disk, NodeContext caller, Inode? inode, string? directory, Inode.FlushMark? mark) : Scheduled
    {
        private static readonly SendOrPostCallback CompletePosted = static flush => ((Flush)flush!).Complete();

        private readonly TaskCompletionSource done = new();
        private readonly long powerLosses = disk.PowerLosses;
        private DiskException? failure;

        public Task Done => done.Task;

        public Inode? Inode { get; } = inode;

        public string? Directory { get; } = directory;

        public Inode.FlushMark? Mark { get; } = mark;

        internal override void Fire()
        {
            if (powerLosses != disk.PowerLosses) return;
            failure = disk.Complete(this);
            caller.Post(CompletePosted, this);
        }

        private void Complete()
        {
            if (failure is null) done.TrySetResult();
            else done.TrySetException(failure);
        }
    }
}

/// <summary>The disk as one life of a node sees it.</summary>
internal sealed class SimDiskDoor(SimDisk disk, NodeContext context) : IDisk
{
    public string CacheIdentity { get; } = disk.PowerLosses.ToString(System.Globalization.CultureInfo.InvariantCulture);

    public bool Exists(string path) => disk.Exists(path);

    public IFile Open(string path) => new SimFile(disk, disk.Open(path), context);

    public IReadOnlyList<string> List(string directory) => disk.List(directory);

    public void Delete(string path) => disk.Delete(path);

    public void Rename(string from, string to) => disk.Rename(from, to);

    public ValueTask FlushDirectoryAsync(string directory) => disk.FlushAsync(context, null, directory);
}

internal sealed class SimFile(SimDisk disk, Inode inode, NodeContext context) : IFile
{
    public long Length => inode.Length;

    public int Read(long position, Span<byte> into) => inode.Read(position, into);

    public void Write(long position, ReadOnlySpan<byte> bytes) => disk.Write(inode, position, bytes);

    public void Truncate(long length) => disk.Truncate(inode, length);

    public ValueTask FlushAsync() => disk.FlushAsync(context, inode, null);

    public void Dispose()
    {
        // Bytes stay in the page cache; closing flushes nothing.
    }
}
