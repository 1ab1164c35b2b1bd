using Broker.Core.Log;
using Broker.Hosting;
using Broker.Protocol;

namespace Broker.Tests.Log;

/// <summary>A log that is opened after a stop in good order is what a scan would have found, without the scan; after any other stop it is scanned.</summary>
public sealed class CleanStopTests
{
    private const string Folder = "log";
    private const long Stop = 7;

    private readonly MemoryDisk disk = new();

    [Fact]
    public async Task What_was_saved_is_what_a_scan_would_find_and_no_record_is_read()
    {
        var saved = await SavedAsync();
        Damage();                                                      // a scan would see it
        var log = Open(Stop);
        Assert.Equal((saved.LogStartOffset, saved.LogEndOffset, saved.LogEndOffset, 0L), (log.LogStartOffset, log.LogEndOffset, log.FlushedEndOffset, log.DroppedBytes));
        for (var epoch = 0; epoch < 4; epoch++) Assert.Equal(saved.EndOfEpoch(epoch), log.EndOfEpoch(epoch));
        Assert.Equal(new AppendOutcome(ErrorCode.None, 39, 40, IsDuplicate: true), log.Append(Batch(39), 3));
        Assert.Equal(40, log.Append(Batch(40), 3).BaseOffset);
        Assert.Equal([40], new RecordBatches(log.Read(40, 41, 1000)).BaseOffsets());
        Assert.Equal([12], new RecordBatches(log.Read(12, 13, 1000)).BaseOffsets());
        Assert.Equal(40, log.BatchesSince(1040).First(static batch => batch.MaxTimestamp >= 1040).BaseOffset);
    }

    [Theory]
    [InlineData(0)]                                                    // no marker
    [InlineData(8)]                                                    // the marker of another stop
    public async Task Without_the_marker_of_that_stop_the_log_is_scanned(long stop)
    {
        await SavedAsync();
        Damage();
        Assert.True(Open(stop).DroppedBytes > 0);
    }

    [Fact]
    public async Task A_damaged_summary_is_not_believed()
    {
        await SavedAsync();
        using (var file = disk.Open($"{Folder}/summary")) file.Write(20, [77]);
        Damage();
        Assert.True(Open(Stop).DroppedBytes > 0);
    }

    private async Task<PartitionLog> SavedAsync()
    {
        var log = Open(0);
        for (var i = 0; i < 40; i++) log.Append(Batch(i), i / 10);
        await log.FlushAsync();
        await log.SaveSummaryAsync(Stop);
        return log;
    }

    /// <summary>The last byte that is stored is another one.</summary>
    private void Damage()
    {
        var name = disk.List(Folder).Last(static name => name.EndsWith(".log", StringComparison.Ordinal));
        using var file = disk.Open($"{Folder}/{name}");
        file.Write(file.Length - 1, [99]);
    }

    private PartitionLog Open(long stop) => PartitionLog.Open(disk, Folder, new LogSettings(SegmentBytes: 1500), UnderTest.Rules.Log, UnderTest.Rules.Producers, cleanStop: stop);

    private static RecordBatch Batch(int sequence)
    {
        var builder = new RecordBatchBuilder { ProducerId = 7, ProducerEpoch = 0, BaseSequence = sequence };
        builder.Append(1000 + sequence, null, new byte[10]);
        Assert.True(RecordBatch.TryRead(builder.ToArray(), out var batch, out _));
        return batch;
    }
}

internal static class BatchesInTests
{
    public static List<long> BaseOffsets(this RecordBatches batches)
    {
        var offsets = new List<long>();
        foreach (var batch in batches) offsets.Add(batch.BaseOffset);
        return offsets;
    }
}
