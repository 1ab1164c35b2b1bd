using System.Globalization;
using System.Text;
using Broker.Core.Log;
using Broker.Protocol;
using Broker.Runtime;
using Broker.Tests;
using Chaos.Faults;
using Chaos.Simulation;
using Chaos.Tests.Simulation;

namespace Chaos.Tests.Storage;

/// <summary>A log that is written, rolled and compacted while its machine dies, at any moment and with any byte of what was not flushed: what was promised durable is there, and no older value is the last of its key.</summary>
public sealed class CompactionCrashTests
{
    private static readonly NodeId Node = new(0);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_log_that_dies_while_it_is_compacted_recovers(bool powerLoss)
    {
        var (cleaned, inTheMiddle) = (0, 0);
        for (var seed = 1ul; seed <= 400; seed++)
        {
            var life = new LogLife(seed, UnderTest.Rules.Cleaner);
            life.LiveAndDie(powerLoss);
            Assert.Null(life.Wrong);
            if (life.Removed > 0) cleaned++;
            if (life.DiedCleaning) inTheMiddle++;
        }
        Assert.InRange(cleaned, 100, 400);
        Assert.InRange(inTheMiddle, 40, 400);
    }

    [Fact]
    public void Planted_a_copy_that_is_put_in_place_before_it_is_durable_is_found() => Assert.True(IsFound(new SwapsBeforeSync()));

    [Fact]
    public void Planted_records_left_out_before_what_supersedes_them_is_durable_are_found() => Assert.True(IsFound(new TrustsThePageCache()));

    private static bool IsFound(CleanerRules rules) => Enumerable.Range(1, 400).Any(seed =>
    {
        var life = new LogLife((ulong)seed, rules);
        life.LiveAndDie(powerLoss: true);
        return life.Wrong is not null;
    });

    private sealed class SwapsBeforeSync : CleanerRules
    {
        public override IReadOnlyList<CleanStep> CleanSteps() => [CleanStep.WriteCopy, CleanStep.Swap, CleanStep.SyncDirectory];
    }

    private sealed class TrustsThePageCache : CleanerRules
    {
        public override bool IsDurable(long endOffset, long flushedEndOffset) => true;
    }

    /// <summary>Two lives of one log on one disk, with the death between them at a moment drawn from the seed.</summary>
    private sealed class LogLife(ulong seed, CleanerRules rules)
    {
        private const string Folder = "d/log";

        private readonly List<(string Key, string? Value)> written = [];
        private long durable;
        private bool isCleaning;

        public int Removed { get; private set; }

        public bool DiedCleaning { get; private set; }

        /// <summary>What the second life found amiss, null for nothing.</summary>
        public string? Wrong { get; private set; }

        public void LiveAndDie(bool powerLoss)
        {
            var world = new SimWorld(seed);
            var prng = new Prng(seed);
            var dies = Trigger.AtMs(prng.Between(2, 60));
            Fault death = powerLoss ? new Fault.Power(dies, Echo.Ms(10), NodeRef.Of(Node.Value)) : new Fault.Crash(dies, Echo.Ms(10), NodeRef.Of(Node.Value));
            var lives = 0;
            world.AddNode(Node, "n", "n", async host =>
            {
                if (++lives == 1) await WriteAndCleanAsync(host, prng);
                else Look(host, powerLoss);
                await Echo.ForEver();
            });
            world.Unleash(new FaultSchedule([death])).Start();
            world.RunFor(100);
            Assert.Empty(world.Failures);
            Assert.Equal(2, lives);
        }

        private async Task WriteAndCleanAsync(IHost host, Prng prng)
        {
            var log = PartitionLog.Open(host.Disk, Folder, new LogSettings(SegmentBytes: 300), UnderTest.Rules.Log, UnderTest.Rules.Producers, rules);
            for (var i = 0; ; i++)
            {
                var key = $"{prng.Below(4)}";
                string? value = prng.Chance(0.2) ? null : i.ToString(CultureInfo.InvariantCulture);
                written.Add((key, value));
                log.Append(Batch(key, value), 0);
                if (prng.Chance(0.1))
                {
                    var end = log.LogEndOffset;
                    await log.FlushAsync();
                    durable = end;
                }
                if (prng.Chance(0.1))
                {
                    isCleaning = true;
                    Removed += await log.CleanAsync(new CleaningBounds(log.LogEndOffset, log.FlushedEndOffset, host.Time.Monotonic(), TimeSpan.FromMilliseconds(5), 0));
                    isCleaning = false;
                }
                await host.Time.DelayAsync(TimeSpan.FromMilliseconds(0.2));
            }
        }

        private void Look(IHost host, bool powerLoss)
        {
            DiedCleaning = isCleaning;
            var log = PartitionLog.Open(host.Disk, Folder, new LogSettings(SegmentBytes: 300), UnderTest.Rules.Log, UnderTest.Rules.Producers, new CleanerRules());
            log.AssertInvariants();
            var least = powerLoss ? durable : written.Count;
            if (log.LogEndOffset < least) Wrong = $"the log ends at {log.LogEndOffset}, and {least} were durable";
            var last = new Dictionary<string, string?>();
            foreach (var batch in log.Batches())
            {
                foreach (var record in batch.Records)
                {
                    var (key, value) = (Encoding.ASCII.GetString(record.Key!.Value.Span), record.Value is { } bytes ? Encoding.ASCII.GetString(bytes.Span) : null);
                    if (written[(int)record.Offset] != (key, value)) Wrong = $"offset {record.Offset} holds another record than was written";
                    last[key] = value;
                }
            }
            foreach (var key in written.Select(static record => record.Key).Distinct())
            {
                var expected = written.Take((int)log.LogEndOffset).LastOrDefault(record => record.Key == key).Value;
                if (last.GetValueOrDefault(key) != expected) Wrong = $"the last value of key {key} is {last.GetValueOrDefault(key)}, not {expected}";
            }
        }

        private static RecordBatch Batch(string key, string? value)
        {
            var bytes = new RecordBatchBuilder().Append(1000, Encoding.ASCII.GetBytes(key), value is null ? null : Encoding.ASCII.GetBytes(value)).ToArray();
            RecordBatch.TryRead(bytes, out var batch, out _);
            return batch;
        }
    }
}
