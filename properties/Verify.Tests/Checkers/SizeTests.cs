using Verify.Checkers;
using Verify.History;

namespace Verify.Tests.Checkers;

/// <summary>Whatever the numbers in a history, memory follows the number of records.</summary>
public sealed class SizeTests
{
    /// <summary>Sends and reads records of one partition whose offset and value the test chooses; the bytes that checking allocated in all, arrays outgrown on the way included.</summary>
    private static long Allocated(int records, Func<int, long> offset, Func<int, long> value, out IReadOnlyList<Finding> findings)
    {
        var log = new HistoryLog();
        var recorder = new HistoryRecorder(log, () => 0);
        var key = recorder.Key("7");
        for (var i = 0; i < records; i++) recorder.InvokeSend(0, key, value(i)).Ok(offset(i));
        recorder.InvokePoll(1).Ok([.. Enumerable.Range(0, records).Select(i => new PolledRecord(key, offset(i), value(i)))]);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var suite = CheckerSuite.For(CheckContract.Default);
        suite.ObserveAll(log);
        findings = suite.Conclude();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    [Fact]
    public void One_record_at_a_huge_offset_costs_what_any_record_costs()
    {
        Assert.True(Allocated(1, static _ => 100_000_000_000, static i => i, out var findings) < 100_000);
        Assert.Equal(Verdict.Held, findings[0].Verdict);
    }

    [Theory]
    [InlineData(1L)]
    [InlineData(1L << 10)]
    [InlineData(1L << 20)]
    [InlineData(1L << 32)]
    [InlineData((1L << 32) + 1)]
    [InlineData(999_999_937L)]
    public void Sparse_offsets_and_values_cost_no_more_than_dense_ones(long stride)
    {
        var allocated = Allocated(20_000, i => i * stride, i => i * stride, out var findings);

        Assert.All(findings.Take(7), static f => Assert.Equal(Verdict.Held, f.Verdict));
        Assert.True(allocated < 20_000 * 1_000, $"{allocated / 20_000} bytes per record");
    }

    [Fact]
    public void A_key_with_a_huge_number_is_a_name_like_any_other()
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var names = new NameTable();
        Assert.Equal([0, 1, 2, 0], new[] { names.Intern(long.MaxValue), names.Intern(5), names.Intern("x"), names.Intern(long.MaxValue) });
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 10_000);
    }

    [Fact]
    public void Every_lost_record_can_be_listed_while_only_the_worst_few_are_explained()
    {
        var recorder = new HistoryRecorder(new HistoryLog(), () => 0);
        var key = recorder.Key("p");
        for (var i = 0; i < 100; i++) recorder.InvokeSend(3, key, i).Ok(i);
        recorder.Assigned(1, [key], seekToBeginning: true);
        recorder.InvokePoll(1).Ok([.. Enumerable.Range(0, 60).Select(i => new PolledRecord(key, i, i)), new PolledRecord(key, 60, 5)]);
        recorder.FinalRead(1, [key]);
        var suite = CheckerSuite.For(CheckContract.Default, Guarantee.NoLostWrites, Guarantee.NoDuplicates);
        suite.ObserveAll(recorder.Log);

        var lost = suite.Conclude()[0].Anomalies.Single(static a => a.Name == AnomalyName.LostWrite);

        Assert.Equal((40L, CheckContract.Default.CaseLimit), (lost.Count, lost.Cases.Count));
        Assert.Equal(Enumerable.Range(60, 40).Select(static i => (long)i), suite.Affected(AnomalyName.LostWrite).Select(static r => r.Value));
        Assert.All(suite.Affected(AnomalyName.LostWrite), static r => Assert.Equal((r.Value, 3, (int)r.Value * 2, (int)r.Value * 2 + 1), (r.Offset, r.Process, r.Invoked, r.Acknowledged)));
        var copy = Assert.Single(suite.Affected(AnomalyName.Duplicate));
        Assert.Equal((5L, 5L, 60L), (copy.Value, copy.Offset, copy.OtherOffsets[0]));
    }
}
