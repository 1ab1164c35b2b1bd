using System.Diagnostics;
using Verify.Checkers;
using Verify.History;

namespace Bench.Micro;

/// <summary><c>small</c>: what recording and checking one small run costs, of the size that a campaign makes by the thousand.</summary>
internal static class SmallCheckCommand
{
    private const int Rounds = 2_000;
    private const int Sends = 120;

    public static int Run()
    {
        var log = new HistoryLog();
        for (var warm = 0; warm < 2; warm++)
        {
            var (recording, recorded) = Measure(() => Record(log));
            var (checking, allocated) = Measure(() => Check(log));
            if (warm > 0) Console.WriteLine($"{log.Count:n0} events: recorded in {recording:0} us and {recorded:n0} bytes, checked in {checking:0} us and {allocated:n0} bytes");
        }
        return 0;
    }

    private static (double Microseconds, long Bytes) Measure(Action work)
    {
        var (bytes, started) = (GC.GetAllocatedBytesForCurrentThread(), Stopwatch.GetTimestamp());
        for (var round = 0; round < Rounds; round++) work();
        return (Stopwatch.GetElapsedTime(started).TotalMicroseconds / Rounds, (GC.GetAllocatedBytesForCurrentThread() - bytes) / Rounds);
    }

    private static void Check(HistoryLog log)
    {
        var suite = CheckerSuite.For(CheckContract.Default);
        suite.ObserveAll(log);
        if (suite.Conclude().Any(static f => f.Verdict != Verdict.Held && f.Guarantee != Guarantee.MetadataAgreement)) throw new InvalidOperationException("a valid history was not held");
    }

    /// <summary>Two partitions on three replicas, three producers, two readers, three final reads.</summary>
    private static void Record(HistoryLog log)
    {
        log.Reset();
        var time = 0L;
        var recorder = new HistoryRecorder(log, () => time += 1_000_000);
        int[] keys = [recorder.Key("t-0"), recorder.Key("t-1")];
        var stored = new List<PolledRecord>[] { [], [] };
        foreach (var reader in (ReadOnlySpan<int>)[10, 11]) recorder.Assigned(reader, keys, seekToBeginning: true);
        for (var value = 0; value < Sends; value++) SendAndRead(recorder, keys[value & 1], value, stored[value & 1]);
        recorder.Heal();
        SendAndRead(recorder, keys[0], Sends, stored[0]);
        for (var reader = 20; reader < 23; reader++)
        {
            recorder.Assigned(reader, keys, seekToBeginning: true);
            foreach (var records in stored) recorder.InvokePoll(reader, final: true).Ok(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(records));
            recorder.FinalRead(reader, keys);
        }
    }

    private static void SendAndRead(HistoryRecorder recorder, int key, int value, List<PolledRecord> stored)
    {
        var offset = stored.Count;
        var send = recorder.InvokeSend(value % 3, key, value);
        for (var node = 0; node < 3; node++)
            recorder.Observe(new EventDetail { Kind = node == 0 ? ObserveKind.Appended : ObserveKind.Replicated, Node = node, Key = key, Epoch = 1, Offset = offset }, [value]);
        for (var node = 0; node < 3; node++)
            recorder.Observe(new EventDetail { Kind = ObserveKind.HighWatermark, Node = node, Key = key, Epoch = 1, Offset = offset + 1 });
        stored.Add(new PolledRecord(key, offset, value));
        send.Ok(offset);
        for (var reader = 10; reader < 12; reader++) recorder.InvokePoll(reader).Ok([stored[^1]]);
    }
}
