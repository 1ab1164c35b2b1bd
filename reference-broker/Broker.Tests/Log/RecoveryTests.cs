using Broker.Core.Log;
using Broker.Hosting;
using Broker.Protocol;
using Broker.Runtime;

namespace Broker.Tests.Log;

/// <summary>What a log keeps of files that end anywhere, with room set aside in them and without, and how much of a file it holds in memory meanwhile.</summary>
public sealed class RecoveryTests
{
    private const string Folder = "log", First = $"{Folder}/00000000000000000000.log";
    private const int Room = 2000;

    private readonly MemoryDisk disk = new();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_file_torn_at_any_byte_keeps_its_whole_batches_and_nothing_else(bool preallocate)
    {
        var ends = new List<int> { 0 };
        var log = Open(disk, preallocate);
        for (var i = 0; i < 6; i++)
        {
            log.Append(Batch(i), i / 3);
            ends.Add((int)log.Batches().Sum(static batch => batch.SizeInBytes));
        }
        var written = Content(disk);
        Assert.Equal(preallocate ? Room : ends[^1], written.Length);
        for (var cut = 0; cut <= ends[^1]; cut++)
        {
            var torn = new MemoryDisk();
            using (var file = torn.Open(First))
            {
                file.Write(0, written.AsSpan(0, cut));
                if (preallocate) file.Truncate(Room);
            }
            var whole = ends.FindLastIndex(end => end <= cut || preallocate && !written.AsSpan(cut, end - cut).ContainsAnyExcept((byte)0));    // what is missing may be zeros anyway
            var recovered = Open(torn, preallocate);
            Assert.Equal(whole, recovered.LogEndOffset);
            Assert.Equal(written.AsSpan(ends[whole], Math.Max(0, cut - ends[whole])).ContainsAnyExcept((byte)0), recovered.DroppedBytes > 0);
            Assert.Equal(ends[whole], Content(torn).Length);
            Assert.Equal(whole == 0 ? -1 : (whole - 1) / 3, recovered.LastEpoch);
            Assert.Equal(whole, recovered.Append(Batch(whole), 2).BaseOffset);
            Assert.Equal(whole + 1, Open(torn, preallocate).LogEndOffset);
        }
    }

    [Fact]
    public async Task Room_that_was_not_used_is_given_back_when_the_next_segment_begins_and_when_the_node_stops()
    {
        var log = Open(disk, preallocate: true);
        for (var i = 0; i < 50; i++) log.Append(Batch(i), 0);
        var names = disk.List(Folder);
        Assert.True(names.Count > 2);
        foreach (var name in names) Assert.Equal(name == names[^1], Length(name) == Room);
        await log.SaveSummaryAsync(7);
        Assert.True(Length(names[^1]) < Room);
        Assert.Equal(50, PartitionLog.Open(disk, Folder, new LogSettings(Room), UnderTest.Rules.Log, UnderTest.Rules.Producers, cleanStop: 7).LogEndOffset);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(9)]
    public void Zeros_behind_a_segment_are_room_and_not_a_tear_and_what_follows_stays(byte behind)
    {
        var log = Open(disk, preallocate: true);
        for (var i = 0; i < 50; i++) log.Append(Batch(i), 0);
        var second = long.Parse(disk.List(Folder)[1].AsSpan(0, 20));
        using (var file = disk.Open(First))                            // the power failed before the room that it gave back was durable
        {
            file.Write(file.Length, [behind]);
            file.Truncate(Room);
        }
        var recovered = Open(disk, preallocate: true);
        Assert.Equal(behind == 0 ? 50 : second, recovered.LogEndOffset);
        Assert.Equal(behind != 0, recovered.DroppedBytes > 0);
    }

    [Fact]
    public void A_segment_that_is_back_behind_records_of_a_later_epoch_is_dropped()
    {
        var log = Open(disk, preallocate: false);
        for (var i = 0; i < 50; i++) log.Append(Batch(i), 4);
        var second = disk.List(Folder)[1];
        var old = Content(disk, second);
        var start = long.Parse(second.AsSpan(0, 20));
        log.TruncateTo(start - 1);
        log.Append(Batch(0), 5);
        using (var file = disk.Open($"{Folder}/{second}")) file.Write(0, old);
        var recovered = Open(disk, preallocate: false);
        Assert.Equal((start, 5), (recovered.LogEndOffset, recovered.LastEpoch));
    }

    [Fact]
    public void However_long_a_segment_is_it_is_recovered_and_cut_in_stretches()
    {
        const int Most = (1 << 20) + 100;
        var watched = new WatchedDisk(disk);
        var log = PartitionLog.Open(watched, Folder, new LogSettings(1 << 30, Preallocate: true), UnderTest.Rules.Log, UnderTest.Rules.Producers);
        for (var i = 0; i < 60; i++) log.Append(Batch(i, 200_000), 0);
        Assert.Equal(60, PartitionLog.Open(watched, Folder, new LogSettings(1 << 30), UnderTest.Rules.Log, UnderTest.Rules.Producers).LogEndOffset);
        log.TruncateTo(55);
        Assert.Equal(55, log.LogEndOffset);
        Assert.Equal(25, log.BatchesSince(1030).Count(static batch => batch.BaseOffset >= 30));
        Assert.InRange(watched.LargestRead, 1 << 20, Most);

        log.Append(Batch(55, 3 << 20), 0);                             // a batch larger than a stretch is read as one
        log.Append(Batch(56), 0);
        Assert.Equal(57, PartitionLog.Open(watched, Folder, new LogSettings(1 << 30), UnderTest.Rules.Log, UnderTest.Rules.Producers).LogEndOffset);
        log.TruncateTo(56);
        Assert.Equal(56, log.LogEndOffset);
        Assert.InRange(watched.LargestRead, 3 << 20, (3 << 20) + 100);
    }

    private static PartitionLog Open(IDisk disk, bool preallocate) => PartitionLog.Open(disk, Folder, new LogSettings(Room, Preallocate: preallocate), UnderTest.Rules.Log, UnderTest.Rules.Producers);

    private static RecordBatch Batch(int value, int padding = 20)
    {
        Assert.True(RecordBatch.TryRead(new RecordBatchBuilder().Append(1000 + value, [(byte)value], new byte[padding]).ToArray(), out var batch, out _));
        return batch;
    }

    private long Length(string name)
    {
        using var file = disk.Open($"{Folder}/{name}");
        return file.Length;
    }

    private static byte[] Content(MemoryDisk disk, string name = "00000000000000000000.log")
    {
        using var file = disk.Open($"{Folder}/{name}");
        var bytes = new byte[file.Length];
        file.Read(0, bytes);
        return bytes;
    }

    /// <summary>Knows how much was ever asked of it at once.</summary>
    private sealed class WatchedDisk(MemoryDisk disk) : IDisk
    {
        public int LargestRead { get; private set; }

        public string CacheIdentity => disk.CacheIdentity;

        public bool Exists(string path) => disk.Exists(path);

        public IFile Open(string path) => new WatchedFile(disk.Open(path), this);

        public IReadOnlyList<string> List(string directory) => disk.List(directory);

        public void Delete(string path) => disk.Delete(path);

        public void Rename(string from, string to) => disk.Rename(from, to);

        public ValueTask FlushDirectoryAsync(string directory) => disk.FlushDirectoryAsync(directory);

        private sealed class WatchedFile(IFile file, WatchedDisk disk) : IFile
        {
            public long Length => file.Length;

            public int Read(long position, Span<byte> into)
            {
                disk.LargestRead = Math.Max(disk.LargestRead, into.Length);
                return file.Read(position, into);
            }

            public void Write(long position, ReadOnlySpan<byte> bytes) => file.Write(position, bytes);

            public void Truncate(long length) => file.Truncate(length);

            public ValueTask FlushAsync() => file.FlushAsync();

            public void Dispose() => file.Dispose();
        }
    }
}
