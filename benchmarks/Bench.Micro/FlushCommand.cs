using System.Diagnostics;
using Broker.Core.Log;
using Broker.Hosting;
using Broker.Protocol;

namespace Bench.Micro;

/// <summary><c>flush FOLDER</c>: a log on a real disk with flush.messages=1, batch by batch, with segments preallocated and without.</summary>
internal static class FlushCommand
{
    private const int Rounds = 5, Batches = 600, BatchBytes = 4096;

    public static async Task<int> RunAsync(string[] arguments)
    {
        if (arguments is not [var folder]) return Usage.Refuse("flush: name a folder on the disk to be measured");
        var times = new Dictionary<bool, List<double>> { [false] = [], [true] = [] };
        for (var round = 0; round < Rounds; round++)                   // in turn: who else uses the disk meanwhile slows both
            foreach (var preallocate in times.Keys) times[preallocate].AddRange(await AppendAsync(folder, $"{round}-{preallocate}", preallocate));
        foreach (var (preallocate, all) in times)
        {
            all.Sort();
            Console.WriteLine($"preallocate={preallocate}: {all.Count} appends of {BatchBytes} bytes, each flushed: median {all[all.Count / 2]:0} us, 90% {all[all.Count * 9 / 10]:0} us, 99% {all[all.Count * 99 / 100]:0} us");
        }
        return 0;
    }

    private static async Task<List<double>> AppendAsync(string root, string name, bool preallocate)
    {
        using var disk = new FileDisk(root);
        var log = PartitionLog.Open(disk, name, new LogSettings(SegmentBytes: 64 << 20, FlushMessages: 1, Preallocate: preallocate), new LogRules(), new ProducerRules());
        await log.FlushAsync();
        RecordBatch.TryRead(new RecordBatchBuilder().Append(0, null, new byte[BatchBytes]).ToArray(), out var batch, out _);
        List<double> times = [];
        for (var i = 0; i < Batches; i++)
        {
            var began = Stopwatch.GetTimestamp();
            log.Append(batch, 0);
            await log.FlushAsync();
            times.Add(Stopwatch.GetElapsedTime(began).TotalMicroseconds);
        }
        log.Delete();
        return times;
    }
}
